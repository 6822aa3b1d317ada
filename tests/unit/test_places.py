"""Which observations describe a call, as far as test_request_usage.py does not say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace

from tracesplice._calls import calls
from tracesplice._observation import attributes
from tracesplice._places import nothing_used, place_of, places_of

if TYPE_CHECKING:
    from langfuse import Langfuse

pytestmark = pytest.mark.usefixtures("nothing_reported")


def test_what_is_current_and_not_around_is_no_part_of_it(langfuse: Langfuse) -> None:
    start = langfuse.start_as_current_observation
    with start(name="s"), start(name="g", as_type="generation") as outer:
        own = langfuse.start_observation(name="h", as_type="generation")
        with start(name="i", as_type="generation") as current:
            span, at = own._otel_span, place_of(own._otel_span.get_span_context())
            places = places_of(at, span, attributes(span), current._otel_span)
        own.end()
    assert places == ((own.trace_id, own.id), (own.trace_id, outer.id))


@pytest.mark.parametrize("sampled", [True, False])
def test_what_stands_for_no_request_is_as_if_it_were_reported(sampled: bool) -> None:
    context = trace.SpanContext(1, 2, is_remote=False, trace_flags=trace.TraceFlags(sampled))
    nothing_used(trace.NonRecordingSpan(context))
    known = calls.find(place_of(context))
    assert (known is not None and known.reported) is sampled
