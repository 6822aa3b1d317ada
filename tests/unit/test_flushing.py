"""What was observed is sent before a process may end, whatever provider it is in."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tracesplice import _flushing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langfuse import Langfuse


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


def test_what_a_slow_one_may_not_have_got_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = [100.0], []

    class Provider(TracerProvider):
        def force_flush(self, timeout_millis: int | None = None) -> bool:
            asked.append(now[0])
            now[0] += 5.0
            return True

    provider = Provider()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(_flushing, "monotonic", lambda: now[0])
    monkeypatch.setattr(_flushing, "_rests_until", 0.0)
    asyncio.run(_flushing.aflush_observations())
    observe("s")
    now[0] += 50.0
    asyncio.run(_flushing.aflush_observations())
    now[0] += 50.0
    asyncio.run(_flushing.aflush_observations())
    assert asked == [100.0, 155.0, 210.0]


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
