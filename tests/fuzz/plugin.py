"""A plugin of pytest's that says how many cases hypothesis tried: ``-p fuzz.plugin``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_PASSED = re.compile(r"(\d+) passing")
_cases: dict[str, int] = {}


def pytest_runtest_teardown(item: pytest.Item) -> None:
    said = getattr(item, "hypothesis_statistics", "")
    _cases[item.nodeid] = sum(map(int, _PASSED.findall(said)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, cases in _cases.items():
        if cases:
            terminalreporter.write_line(f"{cases:>8} {name}")
    terminalreporter.write_line(f"{sum(_cases.values()):>8} cases in all")
