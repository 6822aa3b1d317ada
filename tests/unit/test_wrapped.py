"""A wrapped function belongs where it was wrapped, whatever runs it, and changes nothing there."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from langfuse import propagate_attributes
from opentelemetry import context as otel_context
from opentelemetry import trace

import tracesplice
from tracesplice.adapter import Link, capture_link
from unit.wrapping import link, request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from langfuse import Langfuse
    from opentelemetry.sdk.trace import TracerProvider


async def alink() -> Link:
    await asyncio.sleep(0)
    return capture_link()


def returns_coroutine() -> Any:
    return alink()


def links(count: int) -> Iterator[Link]:
    for _ in range(count):
        yield capture_link()


async def alinks(count: int) -> AsyncIterator[Link]:
    for _ in range(count):
        await asyncio.sleep(0)
        yield capture_link()


@tracesplice.wrap
def decorated() -> Link:
    return capture_link()


class Holder:
    @tracesplice.wrap
    def method(self) -> tuple[Holder, Link]:
        return self, capture_link()


def in_thread(function: Any, *args: Any) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args).result()


async def listed(items: AsyncIterator[Link]) -> list[Link]:
    return [each async for each in items]


RUNS: dict[str, Any] = {
    "in a thread": lambda: in_thread(tracesplice.wrap(link)),
    "by a loop's executor": lambda: asyncio.run(by_loop(tracesplice.wrap(link))),
    "partial": lambda: in_thread(tracesplice.wrap(partial(link))),
    "bound method": lambda: in_thread(tracesplice.wrap(Holder().method))[1],
    "coroutine": lambda: in_thread(run_of, tracesplice.wrap(alink)),
    "lambda with a coroutine": lambda: in_thread(run_of, tracesplice.wrap(returns_coroutine)),
    "generator": lambda: in_thread(list_of, tracesplice.wrap(links))[1],
    "asynchronous generator": lambda: in_thread(alist_of, tracesplice.wrap(alinks))[1],
    "twice": lambda: in_thread(tracesplice.wrap(tracesplice.wrap(link))),
    "pickled": lambda: in_thread(pickle.loads(pickle.dumps(tracesplice.wrap(link)))),
    "copied": lambda: in_thread(copy.deepcopy(tracesplice.wrap(link))),
}


async def by_loop(function: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, function)


def run_of(function: Any) -> Any:
    return asyncio.run(function())


def list_of(function: Any) -> Any:
    return list(function(2))


def alist_of(function: Any) -> Any:
    return asyncio.run(listed(function(2)))


@pytest.mark.parametrize("name", RUNS)
def test_it_belongs_where_it_was_wrapped(name: str, langfuse: Langfuse) -> None:
    with request(langfuse, "ann") as here:
        assert here.user_id == "ann"
        assert RUNS[name]() == here


@pytest.mark.parametrize("name", RUNS)
def test_other_requests_have_no_part_in_it(name: str, langfuse: Langfuse) -> None:
    """As with a worker that has an observation of its own, and of another's work."""

    def elsewhere() -> Any:
        with request(langfuse, "eve") as there:
            found, after = wrapped(), capture_link()
        assert after == there
        return found

    with request(langfuse, "ann") as here:
        wrapped = tracesplice.wrap(RUNS[name])
        assert in_thread(elsewhere) == here


def test_in_an_observation_inside_it_belongs_to_that(langfuse: Langfuse) -> None:
    with request(langfuse, "ann") as here:
        wrapped = tracesplice.wrap(link)
        assert wrapped() == here
        with langfuse.start_as_current_observation(name="step") as step:
            assert wrapped().parent_id == step.id
            # A thread that got the context along.
            assert in_thread(copied(wrapped)).parent_id == step.id
            step_wrapped = tracesplice.wrap(link)
        # Of one that is over, or around the place, nothing is left.
        assert step_wrapped().parent_id == step.id
    with request(langfuse, "eve"):
        assert wrapped() == here


def test_a_web_frameworks_span_of_the_same_trace_is_not_inside(
    langfuse: Langfuse, provider: TracerProvider
) -> None:
    server = provider.get_tracer("fastapi")
    with server.start_as_current_span("GET /"):
        with request(langfuse, "ann") as here:
            wrapped = tracesplice.wrap(link)
        with server.start_as_current_span("background task"):
            assert wrapped() == here
    # One in an observation that began later is.
    with request(langfuse, "ann"):
        wrapped = tracesplice.wrap(link)
        with (
            langfuse.start_as_current_observation(name="step") as step,
            server.start_as_current_span("query"),
        ):
            assert wrapped().parent_id == step.id


def copied(function: Any) -> Any:
    from contextvars import copy_context

    return partial(copy_context().run, function)


def test_what_was_wrapped_in_no_place_belongs_where_it_is_called(langfuse: Langfuse) -> None:
    with request(langfuse, "ann") as here:
        assert decorated() == here
        holder = Holder()
        assert holder.method() == (holder, here)
    assert decorated() == Link()


def test_it_says_that_nothing_was_captured(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        tracesplice.wrap(link)
    [record] = caplog.records
    assert "executor.submit(tracesplice.wrap" in record.getMessage()


def test_without_a_trace_it_keeps_who_it_is_for(langfuse: Langfuse) -> None:
    with propagate_attributes(user_id="ann"):
        wrapped = tracesplice.wrap(link)
    assert in_thread(wrapped) == Link(user_id="ann")
    with request(langfuse, "eve"):
        assert wrapped() == Link(user_id="ann")


def test_without_a_trace_an_observation_that_began_later_is_inside(langfuse: Langfuse) -> None:
    around = langfuse.start_observation(name="began earlier")
    with propagate_attributes(user_id="ann"):
        wrapped = tracesplice.wrap(link)
        with langfuse.start_as_current_observation(name="step") as step:
            assert (wrapped().parent_id, wrapped().user_id) == (step.id, "ann")
            with propagate_attributes(session_id="another's"):
                assert wrapped() == Link(user_id="ann")
        with trace.use_span(around._otel_span):
            assert wrapped() == Link(user_id="ann")
    around.end()


@pytest.mark.parametrize("began", [None, "yesterday", object()])
def test_somebodys_span_does_not_keep_the_function_from_running(
    began: object, langfuse: Langfuse
) -> None:
    class Span(trace.NonRecordingSpan):
        start_time = began

    with request(langfuse, "ann") as here:
        wrapped = tracesplice.wrap(link)
        trace_id = trace.get_current_span().get_span_context().trace_id
    for span_id in (1, 2):
        with trace.use_span(Span(trace.SpanContext(trace_id, span_id, is_remote=False))):
            assert wrapped() == here


@pytest.mark.usefixtures("lenient")
def test_a_broken_span_does_not_keep_the_function_from_running(
    langfuse: Langfuse, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(trace.NonRecordingSpan):
        def get_span_context(self) -> Any:
            raise KeyError

    with request(langfuse, "ann") as here:
        wrapped, awrapped = tracesplice.wrap(link), tracesplice.wrap(alink)
    with trace.use_span(Broken(trace.INVALID_SPAN_CONTEXT)):
        assert wrapped() == here
        assert asyncio.run(awrapped()) == here
    assert len(caplog.records) == 1


def test_what_runs_at_once_stays_apart(langfuse: Langfuse) -> None:
    barrier = threading.Barrier(8)

    def work(number: int) -> tuple[int, Link]:
        barrier.wait(10)
        return number, capture_link()

    expected, futures = {}, []
    with ThreadPoolExecutor(8) as pool:
        for number in range(8):
            with request(langfuse, f"user-{number}") as here:
                expected[number] = here
                futures.append(pool.submit(tracesplice.wrap(work), number))
        assert dict(each.result() for each in futures) == expected
        # The threads are as they were.
        assert {pool.submit(link).result() for _ in range(8)} == {Link()}


def test_the_functions_answer_and_errors_are_its_own(langfuse: Langfuse) -> None:
    def fails(*args: Any, **kwargs: Any) -> Any:
        raise KeyError(args, kwargs)

    before = otel_context.get_current()
    with request(langfuse, "ann"):
        wrapped = tracesplice.wrap(fails)
        echo = tracesplice.wrap(lambda *args, **kwargs: (args, kwargs))
    assert echo(1, a=2) == ((1,), {"a": 2})
    with pytest.raises(KeyError) as error:
        wrapped(1, a=2)
    assert error.value.args == ((1,), {"a": 2})
    assert otel_context.get_current() is before


def test_it_looks_like_the_function(langfuse: Langfuse) -> None:
    with request(langfuse, "ann"):
        wrapped: Any = tracesplice.wrap(link)
        coroutine = tracesplice.wrap(alink)
    assert (wrapped.__name__, wrapped.__doc__) == ("link", link.__doc__)
    assert inspect.signature(wrapped) == inspect.signature(link)
    assert "link" in repr(wrapped)
    assert asyncio.iscoroutinefunction(coroutine)
    assert not asyncio.iscoroutinefunction(wrapped)


def test_what_cannot_be_called_is_an_error() -> None:
    with pytest.raises(tracesplice.TracespliceError, match="cannot be called"):
        tracesplice.wrap(link())  # type: ignore[arg-type]


@pytest.mark.parametrize("made", [decorated, Holder.method])
def test_a_decorated_function_is_found_by_its_name(made: Any) -> None:
    assert pickle.loads(pickle.dumps(made)) is made
