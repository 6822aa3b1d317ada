"""Which observations of the client describe a call, and notes on calls that carry no link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from tracesplice._calls import calls
from tracesplice._langfuse_types import is_generation, may_become_generation
from tracesplice._observation import attributes
from tracesplice._sources import current_observation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span, SpanContext

    from tracesplice._calls import SpanKey

__all__ = ["counts_usage", "note_foreign_call", "nothing_used", "place_of", "places_of"]


_SPAN_ID = "%016x"  # half the time of an f-string


def place_of(context: SpanContext) -> SpanKey:
    """Return the ids of a span."""
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)


def places_of(
    own: SpanKey, span: Span, said: Mapping[str, Any], current: Span
) -> tuple[SpanKey, ...]:
    """Return the observations that describe a call.

    What is around a generation may be exported before it, and then cannot be found from it. So it
    is looked up when the call is made.

    Args:
        own: The ids of ``span``.
        span: That of the call's own observation.
        said: What it says.
        current: OpenTelemetry's current span.

    Returns:
        ``own`` first, then those around it.
    """
    parent: Any = _parent(span, said)
    if parent is None:
        return (own,)
    trace_id, around = own[0], _SPAN_ID % parent.span_id
    # The ids alone, which come first: by their names each takes a call.
    if current.get_span_context()[:2] != parent[:2]:
        return own, (trace_id, around)
    # A generation that is not current, in one that is.
    outer = _parent(current, attributes(current))
    if outer is None:
        return own, (trace_id, around)
    return own, (trace_id, around), (trace_id, _SPAN_ID % outer.span_id)


def counts_usage(span: Any) -> bool:
    """Return whether Langfuse counts what ``span`` says was used."""
    from langfuse.span_filter import is_known_llm_instrumentor

    said = attributes(span)
    if is_generation(said):
        return True
    if getattr(span, "instrumentation_scope", None) is None:
        return False
    return may_become_generation(said) and bool(is_known_llm_instrumentor(span))


def note_foreign_call(observation: Span | None = None) -> None:
    """Note a model call that carries no link: its usage is for the client to count.

    An observation around it and around calls through the gateway keeps its figures.

    Args:
        observation: The span of the call's own client observation, where an adapter knows it.
    """
    if not calls.is_used:
        return
    span = observation or current_observation()
    own, said = span.get_span_context(), attributes(span)
    if own.is_valid:
        places = places_of(place_of(own), span, said, trace.get_current_span())
        calls.answered(places, reports=False)


def nothing_used(span: Span) -> None:
    """Note that the generation ``span`` stands for no request, so that it used nothing.

    Args:
        span: The span of one that an answer from a framework's own cache is reported by.
    """
    context = span.get_span_context()
    if context.is_valid and context.trace_flags.sampled:
        calls.answered((place_of(context),), reports=True)


def _parent(span: Span, said: Mapping[str, Any]) -> SpanContext | None:
    """Return the ids of what is around a span that is a generation, or may still say so."""
    parent: SpanContext | None = getattr(span, "parent", None)
    return parent if parent is not None and may_become_generation(said) else None
