"""What the programs say of themselves, and the page made from it and from what was seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from frameworks.about import About, Limit, about, environments, programs
from frameworks.page import PAGE, Row, outdated, render

MODES = ("langfuse", "langfuse_otel", "langfuse_otel_v2")
REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "frameworks"
SAID = About("Acme", ("acme",), "its own", "tracesplice.instrument(gateway=GATEWAY)", "https://x.y")


@pytest.mark.parametrize("program", programs())
def test_a_program_says_what_its_row_needs(program: str) -> None:
    said = about(program)
    assert said.library
    assert said.packages
    assert "tracesplice." in said.line
    one_line = (said.tracing, said.line, said.note, said.instead, *(x.why for x in said.limits))
    assert not [text for text in one_line if "\n" in text or "|" in text or len(text) > 200]
    for limit in said.limits:
        assert limit.why
        assert set(limit.modes) <= set(MODES)
        assert set(limit.checks) <= set("abcdefghij")


def test_each_environment_is_pinned_and_with_hashes_where_each_check_installs_it() -> None:
    pinned = {path.stem: path.read_text() for path in REQUIREMENTS.glob("*.txt")}
    assert sorted(pinned) == environments()
    hashed = sorted(name for name, text in pinned.items() if "--hash=" in text)
    assert hashed == environments(in_each_check=True)
    assert not [name for name, text in pinned.items() if "://" in text]


def test_each_check_runs_one_program_for_each_mechanism() -> None:
    mechanisms = [about(name).mechanism for name in programs(in_each_check=True)]
    assert len(mechanisms) == len(set(mechanisms))


def run(**wrong: dict[str, str]) -> dict[str, Any]:
    calls = {"chat": {mode: wrong.get(mode, {}) for mode in MODES}}
    return {"versions": {"acme": "1.2"}, "calls": calls}


def page(*rows: Row) -> list[str]:
    return [line for line in render(rows).splitlines() if "Acme" in line or "acme" in line]


def test_a_row_is_whole_only_if_it_was_run() -> None:
    [row, versions] = page(("acme", SAID, run()))
    assert row.endswith(f"| `{SAID.line}` | ✓ |")
    assert versions.endswith("| acme 1.2 | chat |")
    [row, versions] = page(("acme", SAID, None))
    assert row.endswith("| not measured |")
    assert versions.endswith("| not measured |")


def test_a_row_says_what_does_not_hold_and_why() -> None:
    limit = Limit("bg", "No span.", ("chat",), ("langfuse",))
    said = About(**{**vars(SAID), "limits": (limit,)})
    [row, versions] = page(("acme", said, run(langfuse={"b": "", "g": ""})))
    assert row.endswith("| ✓ but not (b), (g): No span. (mode `langfuse`) |")
    assert versions.endswith("| chat [(b), (g) in `langfuse`] |")


def test_a_row_says_of_which_calls_something_does_not_hold() -> None:
    said = About(**{**vars(SAID), "limits": (Limit("b", "No span.", ("two",)),)})
    seen = run()
    seen["calls"]["two"] = {mode: {"b": ""} for mode in MODES}
    [row, versions] = page(("acme", said, seen))
    assert row.endswith("| ✓ but not (b) in two: No span. |")
    assert versions.endswith("| chat, two [(b)] |")


def test_a_mode_that_was_left_out_is_named() -> None:
    seen = run()
    del seen["calls"]["chat"]["langfuse_otel"]
    assert page(("acme", SAID, seen))[1].endswith("| chat [not run in `langfuse_otel`] |")


def test_tracing_that_is_not_to_be_used_is_apart() -> None:
    said = About(**{**vars(SAID), "limits": (Limit("b", "No span."),), "instead": "another"})
    text = render([("acme", said, run(langfuse={"b": ""}))])
    program = "[Acme](../tests/frameworks/programs/acme.py) 1.2"
    row = f"| {program} | [its own](https://x.y) | No span. | another |"
    assert row in text.splitlines()
    assert f"`{SAID.line}` |" not in text


def test_a_page_that_says_something_else_than_was_seen_is_noticed() -> None:
    text = render([("acme", SAID, run())])
    assert outdated(text, [("acme", SAID, run())]) == []
    assert outdated(text, [("acme", SAID, None)]) == []
    assert outdated(text, [("acme", SAID, run(langfuse={"b": ""}))]) == ["acme"]
    assert outdated(text, [("other", SAID, run())]) == ["other"]
    newer = run() | {"versions": {"acme": "2.0"}}
    assert outdated(text, [("acme", SAID, newer)]) == []


def test_each_program_is_on_the_page() -> None:
    page = PAGE.read_text()
    assert not [name for name in programs() if f"programs/{name}.py)" not in page]


def test_what_was_not_run_is_no_mark() -> None:
    assert "✓" not in "\n".join(page(("acme", SAID, None)))
