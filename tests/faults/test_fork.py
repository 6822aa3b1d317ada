"""A process may fork at any time: servers do that load the application first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rig.patience import PATIENCE

TESTS = Path(__file__).parents[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_children_forked_under_load_call_and_count() -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "faults.forking"],
        cwd=TESTS,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert json.loads(ran.stdout) == []
