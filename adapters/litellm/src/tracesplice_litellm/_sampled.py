"""Whether OpenTelemetry lets the report of a call through, in the modes that report by it.

Apart from the modes, because mode ``langfuse`` may run without OpenTelemetry.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.sdk.trace.sampling import Decision

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.sampling import Sampler

    from tracesplice_wire import Place

__all__ = ["is_surely_sampled", "remote_span"]

# Of all traces, a ratio leaves this one out first: it goes by the lower half of an id.
_LAST = (1 << 128) - 1


def is_surely_sampled(place: Place | None) -> bool:
    """Return whether what is reported there is sent; None stands for a trace of any id."""
    sampler = _sampler()
    if sampler is None:
        return False
    parent, trace_id = Context(), _LAST  # of nothing that is current
    if place is not None:
        parent, trace_id = trace.set_span_in_context(remote_span(place)), int(place.trace_id, 16)
    decided = sampler.should_sample(parent, trace_id, "")
    return decided.decision is Decision.RECORD_AND_SAMPLE


def remote_span(place: Place) -> trace.Span:
    """Return what stands for a client's observation, as the parent of spans."""
    flags = trace.TraceFlags(place.trace_flags & trace.TraceFlags.SAMPLED)
    ids = int(place.trace_id, 16), int(place.parent_id or "0", 16)
    return trace.NonRecordingSpan(trace.SpanContext(*ids, is_remote=True, trace_flags=flags))


@cache
def _sampler() -> Sampler | None:
    # LiteLLM makes its providers without one, so that OpenTelemetry reads the environment:
    # https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    provider = TracerProvider(resource=Resource.get_empty(), shutdown_on_exit=False)
    tracer = provider.get_tracer(__name__)
    return tracer.sampler if isinstance(tracer, Tracer) else None  # it is switched off
