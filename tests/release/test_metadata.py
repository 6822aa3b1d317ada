"""What a package index shows, and that all of it says one version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from release.dist import ROOT, folders
from release.test_wheels import metadata

if TYPE_CHECKING:
    from pathlib import Path

VERSION = Version((ROOT / "VERSION").read_text().strip())
MINOR = f"{VERSION.major}.{VERSION.minor}"
NEXT_MINOR = f"{VERSION.major}.{VERSION.minor + 1}"
ONE_OF = ("Summary", "Keywords", "License-Expression", "Requires-Python")
PYTHONS = {f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 14)}


@pytest.fixture(params=folders())
def wheel(request: pytest.FixtureRequest, wheels: dict[str, Path]) -> Path:
    return wheels[request.param]


def test_it_says_what_an_index_shows(wheel: Path) -> None:
    shown = metadata(wheel)
    assert all(shown[field] for field in ONE_OF)
    assert shown["Description-Content-Type"] == "text/markdown"
    classifiers = {*(shown.get_all("Classifier") or [])}
    assert classifiers >= PYTHONS | {"Typing :: Typed", "Intended Audience :: Developers"}
    # An index refuses a license expression beside a classifier that says a license.
    assert not any(each.startswith("License ::") for each in classifiers)


def test_all_have_the_same_home_or_none(wheels: dict[str, Path]) -> None:
    homes = [metadata(each).get_all("Project-URL") for each in wheels.values()]
    assert all(each == homes[0] for each in homes)


def test_a_description_links_to_nothing_beside_it(wheel: Path) -> None:
    # Relative links lead nowhere on an index.
    links = re.findall(r"\]\(([^)]+)\)", str(metadata(wheel).get_payload()))
    assert all("://" in each for each in links)


def test_the_version_is_the_one_of_the_file(wheel: Path) -> None:
    assert Version(metadata(wheel)["Version"]) == VERSION


def test_the_version_is_written_in_one_place() -> None:
    for folder in folders():
        text = (ROOT / folder / "pyproject.toml").read_text()
        assert not re.search(r"^version =", text, re.MULTILINE), f"{folder}: see VERSION"
        assert 'dynamic = ["version"]' in text


def test_distributions_ask_for_each_other_in_this_minor_version(wheel: Path) -> None:
    needed = map(Requirement, metadata(wheel).get_all("Requires-Dist") or [])
    ours = [each for each in needed if each.name.startswith("tracesplice")]
    window = f"<{NEXT_MINOR},>={MINOR}"
    assert {str(each.specifier) for each in ours} <= {window}
