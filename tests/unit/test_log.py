"""Our faults stay away from the user's call: logged once, raised under test."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracesplice
from tracesplice import TracespliceError
from tracesplice.adapter import guarded, shown, shown_kind, shown_url, warn_once
from tracesplice_wire import _log

if TYPE_CHECKING:
    from collections.abc import Callable


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
def test_it_says_whose_fault_it_is(caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> None:
        raise ZeroDivisionError

    fails.__module__ = "acme_spans.calls"
    guarded("nothing")(fails)()
    assert "This is a fault of acme_spans: please report it" in caplog.text


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


def test_a_warning_is_logged_once_per_kind_and_values(caplog: pytest.LogCaptureFixture) -> None:
    for key in ("a", "b", "a"):
        warn_once(key, "%s was left out", key)
    assert [record.getMessage() for record in caplog.records] == [
        "a was left out",
        "b was left out",
    ]
    assert not any(record.exc_info for record in caplog.records)


@pytest.mark.usefixtures("lenient")
def test_noise_fills_neither_log_nor_memory_nor_hides_a_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for number in range(2_000):
        warn_once("a value", "%s was left out", f"{number}" + "x" * 100_000)
        warn_once(f"somebody's user {number}", "x")
    assert len(caplog.records) == 3 + 999
    assert max(len(record.getMessage()) for record in caplog.records) < 120
    assert len(_log._seen) == 1_000
    broken()
    assert caplog.records[-1].exc_info is not None


class Raising(logging.Handler):
    """A handler as some libraries have them: it raises what goes wrong in it."""

    def emit(self, record: logging.LogRecord) -> NoReturn:
        raise OSError("the log's disk is full")


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("at", ["handler", "filter"])
def test_logging_that_fails_costs_nothing(at: str) -> None:
    handler, log = Raising(), logging.getLogger("tracesplice")
    if at == "filter":
        handler.addFilter(handler.emit)
    log.addHandler(handler)
    try:
        warn_once("any", "x")
        assert broken() is None
    finally:
        log.removeHandler(handler)


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError("not now")


def test_a_value_that_cannot_be_written_costs_nothing() -> None:
    warn_once("any", "%s", Unspeakable())
    warn_once("any", "%d %d", "too few")
    warn_once("any", "%s", [])


@given(
    st.recursive(
        st.none()
        | st.text(st.characters(exclude_categories=()))
        | st.binary()
        | st.integers()
        | st.builds(lambda: 10**5_000)
        | st.builds(Unspeakable)
        | st.sampled_from([object(), "x" * 10**6]),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_value_is_shown_on_one_short_line(value: object) -> None:
    for text in (shown(value), shown_kind(value)):
        assert len(text) <= 80
        assert len(text.splitlines()) == 1
        text.encode()


URLS = (
    "http://me:secret@host/v1?key=secret",
    "me:secret@host",
    "me:secret://x@host",
    "http://a:x/secret@host",
    "http://host/#token=secret",
    "http://host?mail=secret@example.com",
    "http://me@host/v1#secret?a@secret",
)


def test_what_is_private_is_not_shown() -> None:
    assert shown_kind("ann@example.com") == "a text of 15 characters"
    assert shown_kind(7) == "a value of type int"
    for url in URLS:
        assert "secret" not in shown_url(url)
        assert "host" in shown_url(url)
    for url in ("https://me:secret?it@host", "me:secret#it@host", "https://me:se?secret@ho?b@c#d"):
        assert "se" not in shown_url(url)
    assert shown_url("http://host:4000/gw") == "'http://host:4000/gw'"


@pytest.mark.parametrize(
    "fail",
    [
        lambda: tracesplice.extra_body(prompt="You are a bank's clerk. secret"),
        lambda: tracesplice.extra_body(prompt={"name": "x" * 500, "version": "secret" * 100}),
        lambda: tracesplice.instrument(gateway="ftp://me:secret@gateway"),
        lambda: tracesplice.instrument(gateway="https://me:secret@api.openai.com/v1"),
        lambda: tracesplice.count_usage_once(then="x" * 500 + "secret"),  # type: ignore[arg-type]
    ],
)
def test_error_messages_are_short_and_keep_secrets(fail: Callable[[], object]) -> None:
    with pytest.raises(TracespliceError) as caught:
        fail()
    assert "You are" not in str(caught.value)
    assert ":secret" not in str(caught.value)
    assert len(str(caught.value)) < 400
