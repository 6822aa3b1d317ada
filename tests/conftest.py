"""What every test runs under: faults of ours are raised, warnings are given anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tracesplice import _report

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _strict(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(_report.STRICT_VARIABLE, "1")
    _report._seen.clear()
    yield
    _report._seen.clear()


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production: a fault of ours is logged once."""
    monkeypatch.delenv(_report.STRICT_VARIABLE)
