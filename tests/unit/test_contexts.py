"""Contexts are left where they were entered, and nowhere else."""

from __future__ import annotations

import contextvars
import gc
import types
from typing import TYPE_CHECKING, Any
from weakref import ref

import pytest
from opentelemetry import context as otel_context
from opentelemetry.context import Context

import tracesplice
from tracesplice.adapter import (
    Gateway,
    Link,
    calling,
    capture_link,
    capture_text,
    gateways_here,
    in_context,
    resume_text,
)
from unit.carriers import ANN, EVE, place

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from langfuse import Langfuse

    Enter = Callable[[dict[str, str]], AbstractContextManager[Any]]

ENTER: dict[str, Enter] = {
    "resume": tracesplice.resume,
    "wrap": lambda carrier: in_context(tracesplice.resume(carrier).context()),
    "call": lambda _: calling((Gateway.declare("http://gateway.invalid"),)),
}


@types.coroutine
def suspended() -> Any:
    yield


@pytest.mark.parametrize("enter", ENTER.values(), ids=ENTER)
def test_a_coroutine_that_is_closed_elsewhere_changes_nothing_there(
    enter: Enter, langfuse: Langfuse, caplog: pytest.LogCaptureFixture
) -> None:
    with place(langfuse, **ANN):
        ann = tracesplice.capture()
    with place(langfuse, **EVE):
        eve = tracesplice.capture()

    async def work() -> None:
        with enter(ann):
            await suspended()

    forgotten = work()
    contextvars.copy_context().run(forgotten.send, None)
    # Another request, once with the same place.
    for carrier in (eve, ann):
        with enter(carrier), tracesplice.resume(carrier):
            before = otel_context.get_current(), gateways_here(), capture_link()
            forgotten.close()
            assert (otel_context.get_current(), gateways_here(), capture_link()) == before
    assert otel_context.get_current() == {}
    assert gateways_here() == ()
    assert caplog.text == ""


def test_what_was_entered_since_is_left_too(langfuse: Langfuse) -> None:
    with place(langfuse, **ANN):
        carrier = tracesplice.capture()
    with in_context(Context({"mine": 1})):
        for _ in range(2):
            # A program may be interrupted before the body of a `with` begins.
            tracesplice.resume(carrier).__enter__()
    assert otel_context.get_current() == {}


def test_a_place_that_is_entered_again_and_again_keeps_no_earlier_one(langfuse: Langfuse) -> None:
    carriers = []
    for number in range(3):
        with place(langfuse, user_id=f"user {number}"):
            carriers.append(tracesplice.capture())
    seen: list[Any] = []
    sizes: list[int] = []

    def timer(turns: int) -> contextvars.Context:
        # As a callback that sets itself again: it runs in a copy of the context inside.
        with tracesplice.resume(carriers[turns % 3]):
            inside = otel_context.get_current()
            seen.append(ref(inside))
            sizes.append(len(inside))
            return contextvars.copy_context()

    context = contextvars.copy_context()
    for turn in range(50):
        context = context.run(timer, turn)
    gc.collect()
    assert len({*sizes}) == 1
    assert sum(each() is not None for each in seen) == 1


def test_a_text_goes_on_as_a_carrier_does(
    langfuse: Langfuse, caplog: pytest.LogCaptureFixture
) -> None:
    assert capture_text() is None
    with place(langfuse, **ANN):
        text, link = capture_text(), capture_link()
    assert text is not None
    with resume_text(text):
        assert capture_link() == link
        assert capture_text() == text
    assert caplog.text == ""
    for other in ("[" * 100_000, "x", "[]", text[:-3], text.ljust(5_000)):
        with resume_text(other):
            assert capture_link() == Link()
    assert "calls inside are not linked" in caplog.text


@pytest.mark.usefixtures("lenient")
def test_a_fault_of_ours_is_not_told_of_the_carrier(
    langfuse: Langfuse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with place(langfuse, user_id="nobody else"):
        carrier = tracesplice.capture()

    def broken(**_: Any) -> Any:
        raise TypeError

    monkeypatch.setattr("langfuse.propagate_attributes", broken)
    with tracesplice.resume(carrier, strict=True):
        assert capture_link() == Link()
    assert "This is a fault of tracesplice" in caplog.text
    assert "is no carrier" not in caplog.text
