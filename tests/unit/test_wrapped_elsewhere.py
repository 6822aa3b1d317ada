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
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

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


def test_all_that_is_open_is_sent(langfuse: Langfuse, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Provider(trace.NoOpTracerProvider):
        def force_flush(self, milliseconds: int) -> None:
            asked.append(milliseconds)

    for provider in (trace.NoOpTracerProvider(), Provider()):
        monkeypatch.setattr(trace, "get_tracer_provider", lambda provider=provider: provider)
        _flushing.flush_observations()
    assert asked == [10_000]


def test_a_langfuse_that_does_not_answer_is_not_waited_for_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, asked = [100.0], []

    class Provider(trace.NoOpTracerProvider):
        def force_flush(self, _milliseconds: int) -> None:
            asked.append(now[0])
            now[0] += 5.0

    monkeypatch.setattr(trace, "get_tracer_provider", Provider)
    monkeypatch.setattr(_flushing, "monotonic", lambda: now[0])
    monkeypatch.setattr(_flushing, "_rests_until", 0.0)
    for _ in range(3):
        _flushing.flush_observations()
        asyncio.run(_flushing.aflush_observations())
    assert asked == [100.0]
    _flushing.flush_observations(last=True)
    assert len(asked) == 2
    now[0] += 50.0
    _flushing.flush_observations()
    assert len(asked) == 3


class Arizes(TracerProvider):
    """One whose own method takes the processors out that are there."""

    def add_span_processor(self, span_processor: Any) -> None:
        processors = self._active_span_processor
        processors._span_processors = ()
        super().add_span_processor(span_processor)


class Unhashable(TracerProvider):
    """One as Logfire's."""

    __hash__ = None  # type: ignore[assignment]


@pytest.fixture(params=[TracerProvider, Arizes, Unhashable])
def exported(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Names of the spans that a global provider has exported."""
    provider, exporter = request.param(), InMemorySpanExporter()
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=600_000))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)

    def names() -> list[str]:
        return [span.name for span in exporter.get_finished_spans()]

    yield names
    provider.shutdown()


def observe(name: str) -> None:
    trace.get_tracer_provider().get_tracer("t").start_span(name).end()


def test_all_of_it_is_sent_whatever_the_provider(exported: Callable[[], list[str]]) -> None:
    async def tasks() -> None:
        for number in range(3):
            observe(f"async {number}")
            await _flushing.aflush_observations()

    asyncio.run(tasks())
    observe("sync")
    _flushing.flush_observations()
    assert exported() == ["async 0", "async 1", "async 2", "sync"]


def test_processors_may_be_changed_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    provider, exporter = Arizes(), InMemorySpanExporter()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    asyncio.run(_flushing.aflush_observations())
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=600_000))
    observe("later")
    asyncio.run(_flushing.aflush_observations())
    assert [span.name for span in exporter.get_finished_spans()] == ["later"]
    provider.shutdown()


def test_a_thread_is_started_only_where_something_was_observed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider, threads = TracerProvider(), []
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(
        _flushing, "flush_observations", lambda: threads.append(threading.current_thread())
    )
    for _ in range(3):
        asyncio.run(_flushing.aflush_observations())
    assert len(threads) == 1  # there may be something of before
    observe("s")
    for _ in range(3):
        asyncio.run(_flushing.aflush_observations())
    assert len(threads) == 2


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
