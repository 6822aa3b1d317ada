"""Our faults stay away from the user's call: logged once, raised under test."""

from __future__ import annotations

import logging
from typing import NoReturn

import pytest

from tracesplice import _report
from tracesplice.adapter import guarded, warn_once


@guarded("the answer to everything")
def broken(value: int = 1) -> float:
    """Divide by zero."""
    return value / 0


@guarded("another thing")
def broken_too() -> float:
    raise KeyError("x")


@guarded("nothing")
def works(value: int, *, more: int = 0) -> int:
    return value + more


def test_a_fault_is_raised_under_test() -> None:
    with pytest.raises(ZeroDivisionError):
        broken()


@pytest.mark.usefixtures("lenient")
def test_a_fault_is_logged_once_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    assert [broken(), broken(2), broken()] == [None, None, None]
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("tracesplice", logging.WARNING)
    assert "left out the answer to everything" in record.getMessage()
    assert "your call is not affected" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.usefixtures("lenient")
def test_another_function_s_fault_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    broken()
    broken_too()
    assert len(caplog.records) == 2


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_fault_goes_through(kind: type[BaseException]) -> None:
    @guarded("nothing")
    def stopped() -> NoReturn:
        raise kind

    with pytest.raises(kind):
        stopped()


@pytest.mark.usefixtures("lenient")
def test_what_works_is_as_without_the_guard(caplog: pytest.LogCaptureFixture) -> None:
    assert works(1, more=2) == 3
    assert (broken.__name__, broken.__doc__) == ("broken", "Divide by zero.")
    assert not caplog.records


def test_a_warning_is_logged_once_per_key(caplog: pytest.LogCaptureFixture) -> None:
    for key in ("a", "b", "a"):
        warn_once(key, "%s was left out", key)
    assert [record.getMessage() for record in caplog.records] == [
        "a was left out",
        "b was left out",
    ]
    assert not any(record.exc_info for record in caplog.records)


def test_keys_without_end_do_not_fill_the_memory(caplog: pytest.LogCaptureFixture) -> None:
    for key in range(3_000):
        warn_once(str(key), "x")
    assert len(_report._seen) == len(caplog.records) == 1_000
