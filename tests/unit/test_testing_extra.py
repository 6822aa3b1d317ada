"""`tracesplice.testing` has the names of `tracesplice_testing`, and says where they come from."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

import tracesplice_testing
from tracesplice import TracespliceError, testing

if TYPE_CHECKING:
    from pathlib import Path


def test_it_has_the_same_names() -> None:
    assert testing.__all__ == tracesplice_testing.__all__
    for name in testing.__all__:
        assert getattr(testing, name) is getattr(tracesplice_testing, name)


def test_other_names_are_missing() -> None:
    for module in (testing, tracesplice_testing):
        with pytest.raises(AttributeError, match="has no attribute 'recorders'"):
            module.recorders  # noqa: B018


def test_without_the_extra_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tracesplice.testing")
    monkeypatch.setitem(sys.modules, "tracesplice_testing", None)
    for kind in (TracespliceError, ModuleNotFoundError):
        with pytest.raises(kind, match=r'pip install "tracesplice\[testing\]"'):
            import_module("tracesplice.testing")


def test_what_the_extra_itself_misses_is_said_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tmp_path.joinpath("tracesplice_testing.py").write_text("import no_such_package")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tracesplice.testing")
    monkeypatch.delitem(sys.modules, "tracesplice_testing")
    with pytest.raises(ModuleNotFoundError, match="no_such_package") as caught:
        import_module("tracesplice.testing")
    assert not isinstance(caught.value, TracespliceError)


def test_one_may_ask_whether_there_is_a_name() -> None:
    assert not hasattr(testing, "recorders")
    assert not hasattr(testing, "__path__")
