"""What the last run saw of the table, cell by cell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faults.table.described import shown

if TYPE_CHECKING:
    from faults.table.libraries import Library
    from faults.table.stage import Outcome

__all__ = ["Cells", "load"]

_PATH = Path(__file__).parents[3] / "build" / "faults" / "table.json"


class Cells:
    """The cells of one run."""

    def __init__(self) -> None:
        self._seen: list[dict[str, Any]] = []

    def add(
        self,
        row: str,
        library: Library,
        way: str,
        outcome: Outcome,
        wrong: list[str],
        *,
        counted: bool,
    ) -> None:
        """Note a cell: how the spliced call ended, how many requests it made, and what is wrong."""
        requests = len(outcome.requests) if counted else 1
        self.add_plain(row, library, way, shown(outcome.ended), wrong, requests)

    def add_plain(
        self, row: str, library: Library, way: str, ended: str, wrong: list[str], requests: int = 1
    ) -> None:
        """Note a cell whose call ended as the table is to say."""
        cell = {"row": row, "library": library.name, "way": way, "ended": ended}
        self._seen.append({**cell, "requests": requests, "wrong": wrong})

    def save(self) -> None:
        """Write them to where the page is made from."""
        _PATH.parent.mkdir(parents=True, exist_ok=True)
        _PATH.write_text(json.dumps(self._seen, indent=1))


def load() -> list[dict[str, Any]]:
    """The cells of the last run."""
    return list(json.loads(_PATH.read_text())) if _PATH.exists() else []
