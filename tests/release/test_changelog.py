"""CHANGELOG.md keeps to Keep a Changelog, and to VERSION."""

from __future__ import annotations

import re
from datetime import date

from packaging.version import Version

from release.dist import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text()
HEADINGS = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
SECTIONS = re.findall(r"^### (.*)$", TEXT, re.MULTILINE)
RELEASE = re.compile(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Known limits"}


def releases() -> list[tuple[Version, date]]:
    """The releases that the headings name, the newest first."""
    found = [RELEASE.fullmatch(each) for each in HEADINGS[1:]]
    return [(Version(each[1]), date.fromisoformat(each[2])) for each in found if each]


def test_it_begins_with_what_is_not_released() -> None:
    assert HEADINGS[0] == "[Unreleased]"


def test_every_other_heading_is_a_version_and_a_day() -> None:
    assert len(releases()) == len(HEADINGS) - 1, HEADINGS


def test_the_newest_is_first() -> None:
    assert releases() == sorted(releases(), reverse=True)
    assert len({version for version, _ in releases()}) == len(releases())


def test_the_version_is_that_of_the_last_release_or_the_next_one() -> None:
    version = Version((ROOT / "VERSION").read_text().strip())
    assert all(version >= released for released, _ in releases())


def test_changes_are_sorted_by_kind() -> None:
    assert {*SECTIONS} <= KINDS


def test_no_line_of_it_is_empty_of_words() -> None:
    assert not re.findall(r"^- *$", TEXT, re.MULTILINE)
