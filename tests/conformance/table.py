"""Renders the compatibility table from what the runs saw.

``python -m conformance.table`` (``make table``) writes ``docs/compatibility.md`` from the outcomes
of the last runs; with ``--check`` it fails where the committed page says something else.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import defaultdict
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from conformance.forms import FORMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from conformance.harness import Cell, Outcome

__all__ = ["Table", "render"]

ROOT = Path(__file__).parents[2]
OUTCOMES = Path(os.environ.get("TRACESPLICE_OUTCOMES") or ROOT / "build" / "conformance")
PAGE = ROOT / "docs" / "compatibility.md"
MODES = ("langfuse", "langfuse_otel", "langfuse_otel_v2")
INTRODUCTION = """# Compatibility

Generated from the outcomes of the tests by `make table`; do not edit. Other releases and
Pythons are in [Versions](versions.md). All with the gateway adapter,
`tracesplice-litellm` ([what holds without it](gateway.md#what-each-mode-gives)). That a call works
in a mode is proved in two steps, and for chosen calls once more as a whole:

1. **In process**, on the packages named: each request of a call has one of the forms whose numbers
   are given, with the right link in it. Synchronous and asynchronous where both exist, with and
   without an enclosing span, with each of the client's tracers (`langfuse.openai`, LangChain's
   `CallbackHandler`, OpenInference's instrumentors) and without one. A call in one of these
   variants is a "cell" below.
2. **On real LiteLLM proxies**, in each mode and release, each form arrives in Langfuse as it
   should.
3. **Whole**, from the call to what Langfuse shows: each method that models are called with, and
   what runs differently, such as retries, failures, agents and streams not read to their end.

✓ means that steps one and two hold, ✓✓ that the call was run whole, too. What holds is:

- (a) one trace
- (b) parent is the call's own client observation
- (c) prompt name and version on both sides
- (d) user, session and tags on the gateway generation
- (e) same answer as without tracesplice
- (f) the caller's objects unchanged
- (g) usage and cost of the traces are the gateway's own figures
- (h) nothing is tokenised or priced by Langfuse
- (i) the gateway generation and the trace are in the application's environment
- (j) nothing else of the gateway's in Langfuse
"""
# On Python 3.10 some asynchronous calls do not exist; the page is of a newer one.
_LESS_OF_LANGCHAIN = sys.version_info < (3, 11)

_IDS = {
    "body+header": "trace in body and header",
    "body": "trace in the body alone",
    "header": "trace in the header alone",
    "none": "no trace",
}

Wrong = dict[str, str]
"""Check to what is wrong."""


class Table:
    """What became of cells on real gateways.

    Attributes:
        cells: How many there were.
    """

    def __init__(self, kind: str, release: str) -> None:
        self._kind = kind
        self._release = release
        self._rows: list[dict[str, Any]] = []

    @property
    def cells(self) -> int:
        return len(self._rows)

    def add(self, cell: Cell, outcome: Outcome) -> None:
        """Note the outcome of a cell."""
        wrong = {check: text for check, text in outcome.checks.items() if text is not None}
        row = {"framework": cell.framework.name, "call": cell.shape.name, "wrong": wrong}
        self._rows.append({**row, "mode": cell.mode and cell.mode.value})

    def save(self) -> None:
        """Write the outcomes to where the table is made from."""
        packages = [f"{each.name} {each.version}" for each in distributions()]
        content = {"release": self._release, "packages": packages, "rows": self._rows}
        OUTCOMES.mkdir(parents=True, exist_ok=True)
        path = OUTCOMES / f"{self._kind}-{self._release}.json"
        path.write_text(json.dumps(content, indent=1))


def render(
    shapes: Iterable[Mapping[str, Any]],
    forms: Iterable[Mapping[str, Any]],
    whole: Iterable[Mapping[str, Any]],
) -> str:
    """Return the page for the outcomes of these runs."""
    newest, *older = sorted(forms, key=lambda run: Version(run["release"]), reverse=True)
    names = list(dict.fromkeys(row["call"] for row in newest["rows"]))
    parts = [INTRODUCTION, *_forms(names, [newest, *older])]
    found = {(row["call"], row["mode"]): row["wrong"] for row in newest["rows"]}
    for run in shapes:
        parts += _calls(run, names, found, _run_whole(run, whole))
    return "\n".join(parts).rstrip() + "\n"


def _forms(names: list[str], runs: list[Mapping[str, Any]]) -> Iterator[str]:
    releases = [run["release"] for run in runs]
    found = {
        (row["call"], row["mode"], run["release"]): row["wrong"]
        for run in runs
        for row in run["rows"]
    }
    yield "## Forms on the wire\n"
    yield f"On LiteLLM {', '.join(releases)}. A prompt is linked unless said."
    yield "No call below makes the last forms; other clients do. Of older releases:"
    yield "[what they lack, and why](gateway.md#older-gateways).\n"
    having = {
        mode: [each for each in releases if (names[0], mode, each) in found] for mode in MODES
    }
    for mode, present in having.items():
        missing = [each for each in releases if each not in present]
        if missing:
            yield f"LiteLLM {', '.join(missing)} has no `{mode}`.\n"
    yield _heading("| | form |")
    for number, name in enumerate(names, 1):
        marks = [
            _mark({each: found.get((name, mode, each)) for each in having[mode]}) for mode in MODES
        ]
        yield f"| {number} | {_described(name)} | {' | '.join(marks)} |"
    yield ""


def _described(name: str) -> str:
    form = FORMS.get(name)
    if form is None:
        return name
    words = [f"`{form.route}`", *(["a form"] if form.encoding == "form" else [])]
    words += [*(["streamed"] if form.stream else []), _IDS[form.ids]]
    return ", ".join(words if form.prompt else [*words, "no prompt"])


def _mark(by_release: Mapping[str, Wrong | None]) -> str:
    """What holds on the releases that have the mode; None is for no generation."""
    limits = {
        release: "not reported" if wrong is None else f"not {_checks(wrong)}"
        for release, wrong in by_release.items()
        if wrong is None or wrong
    }
    if not limits:
        return "✓"
    on: defaultdict[str, list[str]] = defaultdict(list)
    for release, limit in limits.items():
        on[limit].append(release)
    said = [
        limit if releases == [*by_release] else f"{limit} on {', '.join(releases)}"
        for limit, releases in on.items()
    ]
    return f"✓ but {'; '.join(said)}"


def _checks(wrong: Iterable[str]) -> str:
    return ", ".join(f"({check})" for check in sorted(wrong))


def _run_whole(
    run: Mapping[str, Any], whole: Iterable[Mapping[str, Any]]
) -> dict[tuple[str, str], Wrong]:
    """Call and mode to what was wrong, of cells on the same packages."""
    return {
        (row["call"], row["mode"]): row["wrong"]
        for each in whole
        if set(run["packages"]) <= set(each["packages"])
        for row in each["rows"]
        if row["framework"] == run["framework"]
    }


def _calls(
    run: Mapping[str, Any],
    names: list[str],
    forms: Mapping[tuple[str, str], Wrong],
    whole: Mapping[tuple[str, str], Wrong],
) -> Iterator[str]:
    cells = sum(row["cells"] for row in run["rows"])
    yield f"## {run['framework']}: {', '.join(run['packages'])}\n"
    yield f"{cells} cells in process, {len(whole)} whole.\n"
    yield _heading("| call | forms |")
    for row in run["rows"]:
        marks = []
        for mode in MODES:
            proved = [row["wrong"], *(forms.get((form, mode)) for form in row["forms"])]
            marks.append(_proof(proved, whole.get((row["call"], mode))))
        numbers = sorted(names.index(form) + 1 for form in row["forms"] if form in names)
        yield f"| {row['call']} | {', '.join(map(str, numbers))} | {' | '.join(marks)} |"
    yield ""


def _proof(steps: list[Wrong | None], whole: Wrong | None) -> str:
    if None in steps:
        return "not run"
    wrong = {check for step in (*steps, whole) if step for check in step}
    proved = "✓" if whole is None else "✓✓"
    return f"{proved} but not {_checks(wrong)}" if wrong else proved


def _heading(first: str) -> str:
    columns = f"{first} {' | '.join(f'`{mode}`' for mode in MODES)} |"
    return f"{columns}\n|{'---|' * (columns.count('|') - 1)}"


def _without_versions(page: str) -> str:
    # Another Python may get other releases of the same packages from the pinned sets.
    return re.sub(r"\d+(\.\d+)+", "?", page)


def main() -> int:
    """Write the page, or compare it with ``--check``; the exit code says whether it is right."""
    shapes, forms, whole = (
        [json.loads(path.read_text()) for path in sorted(OUTCOMES.glob(f"{kind}-*.json"))]
        for kind in ("shapes", "forms", "cells")
    )
    if not (shapes and forms and whole):
        print("Some outcomes are missing: run `make test` first.", file=sys.stderr)
        return 1
    page = render(shapes, forms, whole)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page)
        return 0
    if _LESS_OF_LANGCHAIN:
        return 0
    if PAGE.exists() and _without_versions(PAGE.read_text()) == _without_versions(page):
        return 0
    print("docs/compatibility.md is not what the run saw: run `make table`.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
