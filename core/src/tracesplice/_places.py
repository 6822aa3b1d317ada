"""Which observations of the client describe a call, and notes on calls that carry no link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from tracesplice._ambient import attributes
from tracesplice._calls import calls
from tracesplice._current import current_observation
from tracesplice._langfuse_usage import is_generation, may_become_generation

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanContext

    from tracesplice._calls import Place

__all__ = ["counts_usage", "note_foreign_call", "nothing_used", "place_of", "places_of"]


def place_of(context: SpanContext) -> Place:
    """Return the ids of a span."""
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)


def places_of(span: Span) -> tuple[Place, ...]:
    """Return the observations that describe a call made in ``span``.

    What is around a generation may be exported before it, and then cannot be found from it. So it
    is looked up when the call is made.

    Returns:
        ``span`` first, then those around it.
    """
    places = [place_of(span.get_span_context())]
    outer = _around(span)
    if outer is not None:
        places.append(place_of(outer))
        current = trace.get_current_span()
        # A generation that is not current, in one that is.
        if current is not span and current.get_span_context().span_id == outer.span_id:
            outer = _around(current)
            if outer is not None:
                places.append(place_of(outer))
    return tuple(places)


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

    A generation around it and around calls through the gateway keeps its figures.

    Args:
        observation: The span of the call's own client observation, where an adapter knows it.
    """
    span = observation or current_observation()
    if span.get_span_context().is_valid and may_become_generation(attributes(span)):
        calls.answered(places_of(span), reports=False)


def nothing_used(span: Span) -> None:
    """Note that the generation ``span`` stands for no request, so that it used nothing.

    Args:
        span: The span of one that an answer from a framework's own cache is reported by.
    """
    context = span.get_span_context()
    if context.is_valid and context.trace_flags.sampled:
        calls.answered((place_of(context),), reports=True)


def _around(span: Span) -> SpanContext | None:
    parent: SpanContext | None = getattr(span, "parent", None)
    return parent if parent is not None and may_become_generation(attributes(span)) else None
