"""A call stays cheap: what of ours runs in one is counted, in a process of its own.

``bench/counts.py`` counts; the figures depend on no machine. A change that needs more has a reason,
and says it where it raises a figure here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NEEDS = {
    "openai": "openai",
    "langchain": "langchain_openai",
    "llama_index": "llama_index.llms.openai_like",
}
CALLS = {"openai": 11, "langchain": 62, "llama_index": 55}
MODULES = {"openai": 4, "langchain": 18, "llama_index": 18}
BYTES = 400


@lru_cache
def counted(path: str) -> dict[str, Any]:
    pytest.importorskip(NEEDS[path])
    command = [sys.executable, "bench/counts.py", "--json", "--path", path]
    env = {"PYTHONPATH": str(ROOT / "tests")}
    result = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("path", NEEDS)
def test_it_makes_few_calls_of_ours(path: str) -> None:
    found = counted(path)
    assert 0 < found["calls"] <= CALLS[path], Counter(found["order"])


@pytest.mark.parametrize("path", NEEDS)
def test_they_are_in_few_modules(path: str) -> None:
    found = counted(path)
    assert 0 < found["modules"] <= MODULES[path], Counter(found["order"])


def test_a_link_is_small() -> None:
    assert 0 < counted("openai")["bytes"] <= BYTES


def test_a_plain_call_runs_nothing_of_other_adapters() -> None:
    packages = {name.partition(".")[0] for name in counted("openai")["order"]}
    assert packages <= {"tracesplice", "tracesplice_openai", "tracesplice_wire"}
