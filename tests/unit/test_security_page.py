"""SECURITY.md names, for each promise, tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)
PROMISES = re.findall(r"^\d+\. .*?(?=^\d+\. |^## |^$)", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_the_test_exists(path: str, name: str) -> None:
    source = (ROOT / path).read_text()
    wanted = name or "test_"
    assert f"def {wanted}" in source


def test_each_promise_names_a_test() -> None:
    assert len(PROMISES) >= 8
    assert [each for each in PROMISES if "`tests/" not in each] == []
