"""Of all that is open where a call is made, the innermost that Langfuse stores has the call."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from langfuse import propagate_attributes
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from tracesplice import _sources
from tracesplice.adapter import (
    PromptRef,
    ambient_source,
    capture_link,
    current_observation,
    is_stored,
    observation_source,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import Span

SCOPES = {"langfuse": "langfuse-sdk", "openinference": "openinference.instrumentation.langchain"}
PROVIDER = TracerProvider()
FLAGS = trace.TraceFlags(1)


def start(scope: str = "langfuse-sdk", inside: Span | None = None) -> Span:
    context = trace.set_span_in_context(inside or trace.INVALID_SPAN)
    return PROVIDER.get_tracer(scope).start_span(scope, context)


def remote(trace_id: int = 0xA) -> Span:
    return trace.NonRecordingSpan(trace.SpanContext(trace_id, 0xB, True, FLAGS))


@contextmanager
def at_work(found: Span | None) -> Iterator[None]:
    """A framework's observation, of which only its source knows."""

    def find() -> Span | None:
        return found

    observation_source(find)
    observation_source(find)
    try:
        yield
    finally:
        del _sources.observation_sources[find]


def innermost(current: Span | None, found: Span | None) -> Span:
    with at_work(found), trace.use_span(current) if current else nullcontext():
        return current_observation()


def test_a_framework_that_is_imported_meanwhile_costs_no_call() -> None:
    def late() -> None:
        return None

    def find() -> None:
        observation_source(late)

    def read() -> None:
        ambient_source(late)

    observation_source(find)
    ambient_source(read)
    try:
        assert not current_observation().get_span_context().is_valid
        assert capture_link().trace_id is None
    finally:
        for source in (find, late):
            _sources.observation_sources.pop(source, None)
        for other in (read, late):
            _sources.ambient_sources.pop(other, None)


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES.keys())
def test_of_two_the_one_that_began_later_is_the_inner_one(scope: str) -> None:
    first, second = start(scope), start(scope)
    assert innermost(first, second) is second
    assert innermost(second, first) is second


def test_where_one_is_missing_it_is_the_other_one() -> None:
    one = start()
    assert innermost(one, None) is one
    assert innermost(None, one) is one
    assert not innermost(None, None).get_span_context().is_valid
    with at_work(one):
        link = capture_link()
    assert link.parent_id == trace.format_span_id(one.get_span_context().span_id)


def test_what_langfuse_does_not_store_counts_only_where_nothing_else_is_there() -> None:
    before = start("web-server")
    stored = start()
    after = start("database", stored)
    assert innermost(before, stored) is stored
    assert innermost(after, stored) is stored
    assert innermost(after, None) is after
    assert innermost(stored, start("web-server")) is stored
    assert innermost(None, after) is after


def test_a_remote_span_is_around_what_is_in_its_trace_and_inside_anything_else() -> None:
    caller = remote()
    inside = start(inside=caller)
    assert innermost(caller, inside) is inside
    resumed = remote(0xC)
    assert innermost(resumed, inside) is resumed
    assert innermost(start("web-server"), resumed) is resumed


def test_a_span_of_somebodys_may_not_say_when_it_began() -> None:
    class Span(trace.NonRecordingSpan):
        start_time = "yesterday"

    current, found = Span(remote().get_span_context()), start()
    assert innermost(current, found) is current
    assert innermost(found, current) is found


def test_of_two_that_are_not_sampled_the_sources_is_the_inner_one() -> None:
    tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("x")
    with tracer.start_as_current_span("outer") as outer:
        inner = tracer.start_span("inner")
    assert innermost(outer, inner) is inner


@pytest.mark.parametrize(
    ("span", "stored"),
    [
        (start(), True),
        (start(SCOPES["openinference"]), True),
        (start("web-server"), False),
        (remote(), True),
        (trace.INVALID_SPAN, False),
    ],
)
def test_what_langfuse_stores(span: Span, stored: bool) -> None:
    assert is_stored(span) is stored


def test_a_source_that_fails_costs_nothing(lenient: Any, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise RuntimeError("broken on purpose")

    span = start()
    observation_source(broken)
    try:
        with trace.use_span(span):
            assert current_observation() is current_observation() is span
    finally:
        del _sources.observation_sources[broken]
    assert caplog.text.count("failed and left out the observation") == 1


def test_what_is_in_force_in_a_framework_is_carried_where_nothing_else_is_in_force() -> None:
    given: dict[str, Any] = {
        "user_id": "ada",
        "tags": ["a"],
        "prompt": {"name": "p", "version": 2},
    }

    def read() -> Any:
        return given

    ambient_source(read)
    try:
        with propagate_attributes(user_id="eve"):
            link = capture_link()
        assert (link.user_id, link.tags, link.prompt) == ("eve", ("a",), PromptRef("p", 2))
        given["prompt"] = SimpleNamespace(name="p", version=2, is_fallback=True)
        assert capture_link().prompt is None
    finally:
        del _sources.ambient_sources[read]


def test_a_source_may_say_more_than_a_link_carries() -> None:
    def read() -> Any:
        return {"user_id": "ada", "as_baggage": True}

    ambient_source(read)
    try:
        assert capture_link().user_id == "ada"
    finally:
        del _sources.ambient_sources[read]
