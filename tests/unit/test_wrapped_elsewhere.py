"""In another process a wrapped function sends what it observed, without stopping an event loop."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import tracesplice
from tracesplice import _flushing, _wrapped
from unit.wrapping import link, request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator

    from langfuse import Langfuse


def fails() -> None:
    raise KeyError


async def works() -> str:
    return "done"


async def afails() -> None:
    raise KeyError


def items() -> Iterator[str]:
    yield "done"


async def aitems() -> AsyncIterator[str]:
    yield "done"


async def aitems_fail() -> AsyncIterator[str]:
    yield "done"
    raise KeyError


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """In which threads it was sent what was observed."""
    found: list[threading.Thread] = []

    def flush() -> None:
        found.append(threading.current_thread())

    monkeypatch.setattr(_wrapped, "flush_observations", flush)
    monkeypatch.setattr(_flushing, "flush_observations", flush)
    monkeypatch.setattr(_flushing, "_is_all_sent", lambda: False)
    return found


@pytest.fixture
def elsewhere(langfuse: Langfuse, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Wraps a function, and goes to another process."""

    def wrap(function: Any) -> Any:
        with request(langfuse, "ann"):
            wrapped = tracesplice.wrap(function)
        monkeypatch.setattr(os, "getpid", lambda: -1)
        return wrapped

    return wrap


@pytest.mark.parametrize(("owner", "name"), [(os, "getpid"), (_wrapped, "_STARTED")])
def test_it_sends_what_was_observed(
    owner: Any,
    name: str,
    langfuse: Langfuse,
    flushed: list[threading.Thread],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with request(langfuse, "ann") as here:
        wrapped = tracesplice.wrap(link)
        assert wrapped() == here
        assert flushed == []
        monkeypatch.setattr(owner, name, lambda: -1)
        with langfuse.start_as_current_observation(name="inherited by a fork"):
            assert wrapped() == here
    assert flushed == [threading.current_thread()]


def test_it_does_so_after_an_error(
    elsewhere: Callable[..., Any], flushed: list[threading.Thread]
) -> None:
    with pytest.raises(KeyError):
        elsewhere(fails)()
    assert len(flushed) == 1


def test_a_generator_does_so_at_its_end(
    elsewhere: Callable[..., Any], flushed: list[threading.Thread]
) -> None:
    found = elsewhere(items)()
    assert next(found) == "done"
    assert flushed == []
    assert list(found) == []
    assert len(flushed) == 1


async def read(wrapped: Any) -> list[Any]:
    return [each async for each in wrapped()]


async def awaited(wrapped: Any) -> list[Any]:
    return [await wrapped()]


@pytest.mark.parametrize("function", [works, afails, aitems, aitems_fail])
def test_an_event_loop_goes_on_meanwhile(
    function: Any, elsewhere: Callable[..., Any], flushed: list[threading.Thread]
) -> None:
    run = awaited if asyncio.iscoroutinefunction(function) else read
    try:
        assert asyncio.run(run(elsewhere(function))) == ["done"]
    except KeyError:
        assert "fail" in function.__name__
    [thread] = flushed
    assert thread is not threading.current_thread()


@pytest.mark.parametrize("function", [works, afails])
def test_a_coroutine_of_another_loop_does_so(
    function: Any, elsewhere: Callable[..., Any], flushed: list[threading.Thread]
) -> None:
    with pytest.raises((StopIteration, KeyError)):
        elsewhere(function)().send(None)
    assert len(flushed) == 1


def test_a_coroutine_that_is_closed_does_so(
    elsewhere: Callable[..., Any], flushed: list[threading.Thread]
) -> None:
    class Waits:
        def __await__(self) -> Generator[None, None, None]:
            yield

    async def waits() -> None:
        await Waits()

    coroutine = elsewhere(waits)()
    coroutine.send(None)
    coroutine.close()
    assert len(flushed) == 1


def test_all_that_is_open_is_sent(langfuse: Langfuse, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Provider(trace.NoOpTracerProvider):
        def force_flush(self, milliseconds: int) -> None:
            asked.append(milliseconds)

    for provider in (trace.NoOpTracerProvider(), Provider()):
        monkeypatch.setattr(trace, "get_tracer_provider", lambda provider=provider: provider)
        _flushing.flush_observations()
    assert asked == [10_000]


def test_it_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    provider, asked = TracerProvider(), []
    answers = [True, False, True]

    def force_flush(_: int) -> bool:
        asked.append(1)
        return answers.pop(0)

    monkeypatch.setattr(provider, "force_flush", force_flush)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    flush = _flushing.flush_observations

    def flush_in_loop() -> None:
        asyncio.run(_flushing.aflush_observations())

    for _ in range(3):
        flush()
        flush_in_loop()
    assert len(asked) == 1  # there may be something of before
    provider.get_tracer("t").start_span("s").end()
    flush()  # not in time
    for _ in range(3):
        flush_in_loop()
        flush()
    assert len(asked) == 3
