"""The environment that a command of a page runs in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from installed.environment import FRESH, Environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """Without any distribution of ours."""
    if FRESH:
        return Environment.new(tmp_path / "venv")
    pinned = Environment.pinned()
    pinned.clear()
    return pinned
