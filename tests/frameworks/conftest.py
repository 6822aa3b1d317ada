"""Picks the programs to run, and starts what they run on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from frameworks.about import about, programs
from frameworks.stage import Stage, on_stage

if TYPE_CHECKING:
    from collections.abc import Iterator


HELD = Path(__file__).with_name("held")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--in-each-check", action="store_true", help="only the programs that every check runs"
    )
    parser.addoption("--environment", help="only the programs that run on this set of packages")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    options = metafunc.config.option
    chosen = [
        each
        for each in programs(in_each_check=options.in_each_check)
        if options.environment in (None, about(each).environment or each)
    ]
    if "program" in metafunc.fixturenames:
        metafunc.parametrize("program", chosen)
    if "held" in metafunc.fixturenames:
        metafunc.parametrize("held", [each for each in chosen if (HELD / f"{each}.py").exists()])


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    with on_stage() as started:
        yield started
