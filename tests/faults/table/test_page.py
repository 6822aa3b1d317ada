"""The page of faults: a cell is what was seen, and a page that says otherwise is outdated."""

from __future__ import annotations

from typing import Any

from faults.table.page import PAGE, concerned, outdated, render
from faults.table.rows import SENTENCES

REFUSED = "The gateway: refused"


def cell(row: str, library: str = "OpenAI", **more: Any) -> dict[str, Any]:
    seen = {"row": row, "library": library, "way": "sync", "ended": "answer"}
    return {**seen, "requests": 1, "wrong": [], **more}


def every() -> list[dict[str, Any]]:
    rows = [(group, name) for group, rows in SENTENCES.items() for name in rows]
    return [cell(f"{group}: {name}", of) for group, name in rows for of in concerned(group, name)]


def test_a_cell_says_how_the_call_ended_and_what_is_wrong() -> None:
    seen = [
        cell(REFUSED, ended="`E`", requests=0),
        cell(REFUSED, way="async", wrong=["left: span"]),
    ]
    [row] = [each for each in render(seen).splitlines() if each.startswith("| It refuses")]
    assert row.split(" | ")[1] == "✓ `E` (0), ✗ async"
    assert row.split(" | ")[2] == "not run"


def test_what_was_seen_otherwise_makes_the_page_outdated() -> None:
    page = render(every())
    assert outdated(page, every()) == []
    assert outdated(page, every()[:3]) == []  # a run of a few
    [said] = outdated(page, [cell(REFUSED, ended="`E`")])
    assert "refused, OpenAI, sync" in said
    assert len(outdated(page, [cell(REFUSED, wrong=["ended"])])) == 1
    lines = [line for line in page.splitlines() if "It refuses" not in line]
    assert outdated("\n".join(lines), []) == ["no row: It refuses connections."]


def test_the_page_has_every_row_and_nothing_that_fails() -> None:
    page = PAGE.read_text()
    assert outdated(page, []) == []
    assert "✗" not in page
