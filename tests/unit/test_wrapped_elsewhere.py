"""In another process a wrapped function sends what it observed, without stopping an event loop."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import tracesplice
from rig.patience import PATIENCE
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
    provider = TracerProvider()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
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


def test_the_threads_of_the_loop_may_all_be_busy(
    elsewhere: Callable[..., Any], flushed: list[threading.Thread]
) -> None:
    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        wrapped = elsewhere(works)

        def wait() -> str:
            return str(asyncio.run_coroutine_threadsafe(wrapped(), loop).result(PATIENCE))

        return [await asyncio.to_thread(wait)]

    assert asyncio.run(main()) == ["done"]
    assert len(flushed) == 1


def test_a_cancellation_takes_no_answer_that_is_there(
    elsewhere: Callable[..., Any], flushed: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def flush() -> None:
        begun.set()
        goes_on.wait(PATIENCE)

    monkeypatch.setattr(_flushing, "flush_observations", flush)

    async def main() -> str:
        task = asyncio.ensure_future(elsewhere(works)())
        while not begun.is_set():
            await asyncio.sleep(0)
        task.cancel()
        answer = str(await task)
        goes_on.set()
        return answer

    assert asyncio.run(main()) == "done"
