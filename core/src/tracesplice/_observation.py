"""The OpenTelemetry span behind an observation of the Langfuse SDK."""

from __future__ import annotations

from typing import Any

from opentelemetry import trace

__all__ = ["span_of"]


def span_of(observation: Any) -> trace.Span | None:
    """Return the span of a Langfuse observation, to capture a link from or to make current.

    Args:
        observation: What ``Langfuse.start_observation`` returns.

    Returns:
        The span, or one of the same ids where Langfuse keeps it out of reach; None if the
        observation has ended, or tracing is off. One that is not sampled is not recording.

    Raises:
        AttributeError: ``observation`` is no Langfuse observation.
    """
    # The wrapped span is private, and the only way to its attributes (prompt) and flags
    # (https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/span.py); the ids are
    # public and enough to nest under.
    span = getattr(observation, "_otel_span", None)
    if not isinstance(span, trace.Span):
        return _span_of_ids(observation.trace_id, observation.id)
    context = span.get_span_context()
    # What is not sampled never ends, and says in the link that it is not.
    unsampled = context.is_valid and not context.trace_flags.sampled
    return span if span.is_recording() or unsampled else None


def _span_of_ids(trace_id: str, span_id: str) -> trace.Span:
    return trace.NonRecordingSpan(
        trace.SpanContext(
            int(trace_id, 16),
            int(span_id, 16),
            is_remote=False,
            trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
        )
    )
