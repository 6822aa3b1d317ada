"""Which observations describe a call, and what is noted of calls without a link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from tracesplice._ambient import attributes
from tracesplice._calls import calls
from tracesplice._places import counts_usage, note_foreign_call, nothing_used, place_of, places_of

if TYPE_CHECKING:
    from langfuse import Langfuse
    from opentelemetry.sdk.trace import TracerProvider

pytestmark = pytest.mark.usefixtures("nothing_reported")


def ids(span: Any) -> list[str]:
    """The span ids of the observations that describe a call in ``span``."""
    own, current = place_of(span.get_span_context()), trace.get_current_span()
    found = places_of(own, span, attributes(span), current)
    assert {trace_id for trace_id, _ in found} == {own[0]}
    return [span_id for _, span_id in found]


def test_a_generation_and_what_is_around_it(langfuse: Langfuse) -> None:
    with langfuse.start_as_current_observation(name="s") as outer:
        assert ids(outer._otel_span) == [outer.id]
        with langfuse.start_as_current_observation(name="g", as_type="generation") as current:
            assert ids(current._otel_span) == [current.id, outer.id]
            inner = langfuse.start_observation(name="h", as_type="generation")
            assert ids(inner._otel_span) == [inner.id, current.id, outer.id]
            with langfuse.start_as_current_observation(name="t"):  # something else is current
                assert ids(inner._otel_span) == [inner.id, current.id]
            inner.end()
        span = langfuse.start_observation(name="t")
        assert ids(span._otel_span) == [span.id]
        span.end()
    alone = langfuse.start_observation(name="g", as_type="generation")
    assert ids(alone._otel_span) == [alone.id]
    alone.end()


def test_one_of_an_instrumentation_that_says_late_what_it_is(
    langfuse: Langfuse, provider: TracerProvider
) -> None:
    tracer = provider.get_tracer("openinference.instrumentation.any")
    with (
        langfuse.start_as_current_observation(name="s") as outer,
        tracer.start_as_current_span("late") as span,
    ):
        assert ids(span)[1:] == [outer.id]
        span.set_attribute("openinference.span.kind", "CHAIN")
        assert ids(span)[1:] == []


@pytest.mark.parametrize(
    ("scope", "said", "expected"),
    [
        ("any", {"gen_ai.operation.name": "chat"}, True),
        ("langfuse-sdk", {"langfuse.observation.type": "span"}, False),
        ("openinference.instrumentation.any", {}, True),
        ("openinference.instrumentation.any", {"openinference.span.kind": "CHAIN"}, False),
        ("web-server", {}, False),
    ],
)
def test_whether_langfuse_counts_it(
    provider: TracerProvider, scope: str, said: dict[str, str], expected: bool
) -> None:
    with provider.get_tracer(scope).start_as_current_span("s", attributes=said) as span:
        assert counts_usage(span) is expected
        context = span.get_span_context()
    assert not counts_usage(trace.NonRecordingSpan(context))


def test_a_foreign_call_keeps_the_figures_of_what_is_around_it(langfuse: Langfuse) -> None:
    with (
        langfuse.start_as_current_observation(name="s") as root,
        langfuse.start_as_current_observation(name="g", as_type="generation") as outer,
    ):
        inner = langfuse.start_observation(name="h", as_type="generation")
        note_foreign_call(inner._otel_span)
        inner.end()
    for each in (inner, outer, root):
        known = calls.find((each.trace_id, each.id))
        assert known is not None
        assert known.kept


def test_a_foreign_call_in_no_generation_is_nothing_to_remember(langfuse: Langfuse) -> None:
    note_foreign_call()
    with langfuse.start_as_current_observation(name="s") as span:
        note_foreign_call()
    assert calls.find((span.trace_id, span.id)) is None


@pytest.mark.parametrize("sampled", [True, False])
def test_what_stands_for_no_request_is_as_if_it_were_reported(sampled: bool) -> None:
    context = trace.SpanContext(1, 2, is_remote=False, trace_flags=trace.TraceFlags(sampled))
    nothing_used(trace.NonRecordingSpan(context))
    known = calls.find(place_of(context))
    assert (known is not None and known.reported) is sampled
