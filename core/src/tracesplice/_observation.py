"""Observations of Langfuse as OpenTelemetry's spans."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from opentelemetry import baggage, trace
from opentelemetry.context import Context

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanContext

__all__ = [
    "BAGGAGE_ENTRY",
    "PROJECT_ATTRIBUTE",
    "SDK_SCOPE",
    "SPAN_ENTRY",
    "RemoteObservation",
    "attributes",
    "is_stored",
    "nearest_stored",
    "span_of",
]

SDK_SCOPE = "langfuse-sdk"
"""The instrumentation scope of the observations that Langfuse's SDK makes."""

PROJECT_ATTRIBUTE = "tracesplice.project"
"""On the scope of a ``RemoteObservation``: which Langfuse project it is in."""

# OpenTelemetry names these two at random in each process. By name they are found in a fifth of the
# time that its functions take, and both are read in each call.
(SPAN_ENTRY,) = trace.set_span_in_context(trace.INVALID_SPAN, Context())
"""The entry of a context that holds the current span."""

(BAGGAGE_ENTRY,) = baggage.set_baggage("name", "value", Context())
"""The entry of a context that holds the baggage, a mapping."""

_TRACE_ID_BAGGAGE = "langfuse_trace_id"


class RemoteObservation(trace.NonRecordingSpan):
    """An observation of which only the ids and the project are known.

    Args:
        context: Its ids.
        project: Which Langfuse project it is in, as ``project_of`` says it, if that is known.
    """

    def __init__(self, context: SpanContext, project: str | None) -> None:
        super().__init__(context)
        self.instrumentation_scope = _scope(project)


def span_of(observation: Any) -> Span | None:
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


def attributes(span: Any) -> dict[str, Any]:
    """Return what ``span`` says; nothing of a remote or suppressed one, which has ids alone.

    Args:
        span: A span, or its resource.
    """
    try:
        # A copy, because the SDK's own mapping takes ten times as long for each key.
        found: dict[str, Any] = span.attributes.copy()
    except AttributeError:
        found = dict(getattr(span, "attributes", None) or {})
    return found


def is_stored(span: Span) -> bool:
    """Return whether Langfuse stores ``span``, as it does by default.

    Of the spans that a ``should_export_span`` of the user's adds, those at the root of a trace are
    known. Not those of, say, a web server or a database driver
    (https://langfuse.com/docs/observability/sdk/advanced-features#filtering-by-instrumentation-scope).
    A span of which only the ids are known, a remote one or one that is not sampled, is taken for an
    observation.
    """
    scope = getattr(span, "instrumentation_scope", None)
    if scope is None:
        return span.get_span_context().is_valid
    if scope.name == SDK_SCOPE or _is_exported(span):
        return True
    # Langfuse marks the outermost span that it is going to store.
    return bool(attributes(span).get("langfuse.internal.is_app_root"))


def nearest_stored(span: Span) -> SpanContext | None:
    """Return the place of ``span``, or of what is around it if Langfuse does not store it.

    A parent that never arrives would leave the gateway generation hanging, nameless.

    Returns:
        None where there is no observation.
    """
    own = span.get_span_context()
    if is_stored(span):
        return own
    # OpenTelemetry keeps the ids of one ancestor, so this is as far as one can look up. An ancestor
    # in this process is likely another span of the server's, unless Langfuse says that an
    # observation of its own is around.
    parent: SpanContext | None = getattr(span, "parent", None)
    return parent if parent is None or parent.is_remote or _is_around(own) else None


def _is_exported(span: Any) -> bool:
    from langfuse.span_filter import is_default_export_span

    return bool(is_default_export_span(span))


def _is_around(inner: SpanContext) -> bool:
    # An observation that Langfuse's SDK makes current puts the id of its trace into the baggage
    # (https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/propagation.py).
    claimed = baggage.get_baggage(_TRACE_ID_BAGGAGE)
    return claimed == trace.format_trace_id(inner.trace_id)


@lru_cache(maxsize=64)
def _scope(project: str | None) -> Any:
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    said = {} if project is None else {PROJECT_ATTRIBUTE: project}
    return InstrumentationScope(SDK_SCOPE, attributes=said)


def _span_of_ids(trace_id: str, span_id: str) -> Span:
    return trace.NonRecordingSpan(
        trace.SpanContext(
            int(trace_id, 16),
            int(span_id, 16),
            is_remote=False,
            trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
        )
    )
