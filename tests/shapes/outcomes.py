"""What became of the call shapes: a file for each framework, which the table is made from."""

from __future__ import annotations

import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conformance.harness import Cell

__all__ = ["Outcomes"]

DIRECTORY = Path(
    os.environ.get("TRACESPLICE_OUTCOMES") or Path(__file__).parents[2] / "build" / "conformance"
)


class Outcomes:
    """The outcomes of one framework's cells: for each call its forms, and what did not hold."""

    def __init__(self, framework: str, packages: Iterable[str]) -> None:
        self._framework = framework
        self._packages = [f"{name} {version(name)}" for name in packages]
        self._rows: dict[str, dict[str, Any]] = {}

    @property
    def cells(self) -> int:
        """How many cells were run."""
        return sum(row["cells"] for row in self._rows.values())

    @property
    def forms(self) -> set[str]:
        """The forms of their requests."""
        return {form for row in self._rows.values() for form in row["forms"]}

    def add(self, cell: Cell, wrong: Mapping[str, str], forms: Iterable[str]) -> None:
        """Note the outcome of a cell."""
        new: dict[str, Any] = {"cells": 0, "variants": set(), "forms": set(), "wrong": {}}
        row = self._rows.setdefault(cell.shape.name, new)
        row["cells"] += 1
        row["variants"].add(cell.tracer)
        row["forms"].update(forms)
        row["wrong"] |= wrong

    def save(self) -> None:
        """Write the file."""
        rows = [{"call": call, **row} for call, row in self._rows.items()]
        packages = "-".join(each.replace(" ", "-") for each in self._packages)
        content = {"framework": self._framework, "packages": self._packages, "rows": rows}
        DIRECTORY.mkdir(parents=True, exist_ok=True)
        path = DIRECTORY / f"shapes-{self._framework.replace(' ', '-')}-{packages}.json"
        path.write_text(json.dumps(content, indent=1, default=sorted))
