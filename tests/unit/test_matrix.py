"""What `make matrix` tries, and what it says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from matrix.cells import ADAPTERS, ROOT, Cell, canary, cells, framework
from matrix.page import row
from matrix.run import counted, folder_of

if TYPE_CHECKING:
    from pathlib import Path

SUITE = (
    '<testsuites><testsuite tests="{}" errors="{}" failures="{}" skipped="{}">{}</testsuite>'
    "</testsuites>"
)
FAILED = '<testcase name="t"><failure message="it broke"/></testcase>'


def test_every_adapter_of_the_application_is_tried() -> None:
    folders = {path.parent.name for path in ROOT.glob("adapters/*/pyproject.toml")}
    assert {*ADAPTERS} == folders - {"litellm"}  # which is the gateway's


def test_each_is_tried_on_its_floor() -> None:
    [cell] = [each for each in cells() if each.name == "anthropic, oldest"]
    name, floor = framework("adapters/anthropic")
    assert f"{name}=={floor}" in cell.install[0]


@pytest.mark.parametrize("listed", [cells(), canary()])
def test_each_has_a_folder_of_its_own_and_tests_that_exist(listed: list[Cell]) -> None:
    folders = [folder_of(each) for each in listed]
    assert len({*folders}) == len(folders)
    paths = [path for each in listed for path in each.tests]
    assert all((ROOT / path).exists() for path in paths if path.startswith("tests/"))


@pytest.mark.parametrize(
    ("numbers", "case", "state"),
    [
        ((3, 0, 0, 1), "", "holds"),
        ((3, 0, 1, 0), FAILED, "fails"),
        ((3, 1, 0, 0), "", "fails"),
        ((0, 0, 0, 0), "", "fails"),  # nothing was run
        ((2, 0, 0, 2), "", "fails"),
    ],
)
def test_it_holds_if_something_ran_and_nothing_failed(
    tmp_path: Path, numbers: tuple[int, ...], case: str, state: str
) -> None:
    result = tmp_path / "junit.xml"
    result.write_text(SUITE.format(*numbers, case))
    assert counted(result)["state"] == state


def test_a_row_says_what_failed_and_what_was_not_tried() -> None:
    failed = {"state": "fails", "python": "3.10", "wrong": 2, "passed": 1, "versions": {"x": "1"}}
    assert row("x", failed) == "| x | 3.10 | x 1 | 1 | 2 fail |\n"
    partly = {"state": "holds", "python": "3.10", "passed": 1, "lacks": "no y"}
    assert row("x", partly) == "| x | 3.10 |  | 1 | ✓; no y |\n"
    assert row("x", {"state": "not installed", "python": "3.9"}).endswith("| not installed |\n")
