"""The public functions have the types they promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_a_strict_type_checker_agrees_with_the_public_api() -> None:
    pytest.importorskip("mypy")
    checked = Path(__file__).with_name("public_api.py").relative_to(ROOT)
    command = [sys.executable, "-m", "mypy", str(checked)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
