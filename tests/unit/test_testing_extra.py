"""`tracesplice.testing` has the names of `tracesplice_testing`, and says where they come from."""

from __future__ import annotations

import sys

import pytest

import tracesplice_testing
from tracesplice import TracespliceError, testing


def test_it_has_the_same_names() -> None:
    assert testing.__all__ == tracesplice_testing.__all__
    for name in testing.__all__:
        assert getattr(testing, name) is getattr(tracesplice_testing, name)


def test_other_names_are_missing() -> None:
    for module in (testing, tracesplice_testing):
        with pytest.raises(AttributeError, match="has no attribute 'recorders'"):
            module.recorders  # noqa: B018


def test_without_the_extra_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tracesplice_testing", None)
    with pytest.raises(TracespliceError, match=r'pip install "tracesplice\[testing\]"'):
        testing.Recorder  # noqa: B018
