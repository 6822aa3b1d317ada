"""Where runs leave what they saw, for the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["load", "save"]

_FOLDER = Path(__file__).parents[2] / "build" / "frameworks"


def save(program: str, versions: dict[str, str], calls: dict[str, dict[str, Any]]) -> None:
    """Note what was wrong with each call in each mode."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    content = {"versions": versions, "calls": calls}
    (_FOLDER / f"{program}.json").write_text(json.dumps(content, indent=1) + "\n")


def load(program: str) -> dict[str, Any] | None:
    """What the last run of a program saw, None if there was none."""
    path = _FOLDER / f"{program}.json"
    return dict(json.loads(path.read_text())) if path.exists() else None
