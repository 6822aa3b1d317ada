"""Collects what the conformance run saw and renders the compatibility table from it.

``python -m conformance.table`` (``make table``) writes ``docs/compatibility.md`` from the outcomes
of the last runs; with ``--check`` it fails where the committed page says something else.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.harness import Cell, Outcome

__all__ = ["Table", "render"]

ROOT = Path(__file__).parents[2]
OUTCOMES = ROOT / "build" / "conformance"
PAGE = ROOT / "docs" / "compatibility.md"
INTRODUCTION = (
    "Generated from the conformance run by `make table`; do not edit. Every cell was run against a "
    "real LiteLLM proxy with the gateway adapter, `tracesplice-litellm` ([what holds without "
    "it](gateway.md#what-each-mode-gives)), synchronous and asynchronous where both exist, with "
    "and without an enclosing span. The OpenAI SDK's also with and without `langfuse.openai`; "
    "LangChain's with Langfuse's `CallbackHandler`, and its basic calls also with OpenInference's "
    "instrumentor and with neither; LlamaIndex's with OpenInference's instrumentor and without. ✓ "
    "means that all of these held:"
)
# On Python 3.10 some asynchronous calls do not exist; the page is of a newer one.
_LESS_OF_LANGCHAIN = sys.version_info < (3, 11)
MODES = ("langfuse", "langfuse_otel", "langfuse_otel_v2")
MEANINGS = {
    "a": "one trace",
    "b": "parent is the call's own client observation",
    "c": "prompt name and version on both sides",
    "d": "user, session and tags on the gateway generation",
    "e": "same answer as without tracesplice",
    "f": "the caller's objects unchanged",
    "g": "usage and cost of the traces are the gateway's own figures",
    "h": "nothing is tokenised or priced by Langfuse",
    "i": "the gateway generation and the trace are in the application's environment",
    "j": "nothing else of the gateway's in Langfuse",
}


@dataclass
class Table:
    """The outcomes of one run.

    Attributes:
        packages: What the client side ran on, as ``name version``.
        gateway: What the gateway ran on.
        rows: For framework, shape and mode: how many cells there were and what did not hold.
    """

    packages: list[str]
    gateway: str
    rows: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)

    def add(self, cell: Cell, outcome: Outcome) -> None:
        """Note the outcome of a cell."""
        assert cell.mode is not None
        key = (cell.framework.name, cell.shape.name, cell.mode.value)
        row = self.rows.setdefault(key, {"cells": 0, "missing": {}})
        row["cells"] += 1
        for check, wrong in outcome.checks.items():
            if wrong is not None:
                row["missing"][check] = "a defect"

    @property
    def cells(self) -> int:
        """How many cells were run."""
        return sum(row["cells"] for row in self.rows.values())

    def save(self, path: Path) -> None:
        """Write the outcomes to ``path``."""
        rows = [[*key, row] for key, row in self.rows.items()]
        content = {"packages": self.packages, "gateway": self.gateway, "rows": rows}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1))


def installed(names: Iterable[str]) -> list[str]:
    """Return ``name version`` of each package."""
    return [f"{name} {version(name)}" for name in names]


def render(runs: list[dict[str, Any]]) -> str:
    """Return the page for the outcomes of ``runs``."""
    parts = [
        "# Compatibility\n",
        f"{INTRODUCTION}\n",
        *(f"- ({check}) {meaning}" for check, meaning in MEANINGS.items()),
        "",
    ]
    reasons: list[str] = []
    for run in runs:
        parts += _section(run, reasons)
    parts += [f"[{number}] {reason}.\n" for number, reason in enumerate(reasons, 1)]
    return "\n".join(parts).rstrip() + "\n"


def _section(run: dict[str, Any], reasons: list[str]) -> list[str]:
    marks: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for _, shape, mode, row in run["rows"]:
        marks[shape][mode] = _mark(row, reasons)
    framework = run["rows"][0][0]
    cells = sum(row["cells"] for *_, row in run["rows"])
    return [
        f"## {framework}: {', '.join(run['packages'])}\n",
        f"{cells} cells, gateway: {run['gateway']}\n",
        f"| call | {' | '.join(f'`{mode}`' for mode in MODES)} |",
        f"|---|{'---|' * len(MODES)}",
        *(
            f"| {shape} | {' | '.join(by_mode.get(mode, 'not run') for mode in MODES)} |"
            for shape, by_mode in marks.items()
        ),
        "",
    ]


def _mark(row: dict[str, Any], reasons: list[str]) -> str:
    if not row["missing"]:
        return "✓"
    notes = []
    for check, reason in sorted(row["missing"].items()):
        if reason not in reasons:
            reasons.append(reason)
        notes.append(f"({check}) [{reasons.index(reason) + 1}]")
    return f"✓ but {', '.join(notes)}"


def _without_versions(page: str) -> str:
    # Another Python may get other releases of the same packages from the pinned sets.
    return re.sub(r"\d+(\.\d+)+", "?", page)


def main() -> int:
    """Write the page, or compare it with ``--check``; the exit code says whether it is right."""
    runs = [json.loads(path.read_text()) for path in sorted(OUTCOMES.glob("*.json"))]
    if not runs:
        print("No outcomes yet: run `make test` first.", file=sys.stderr)
        return 1
    page = render(runs)
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
