"""Captures the link of a call: where it belongs, and what it is filed under."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from opentelemetry import baggage, trace
from opentelemetry import context as otel_context

from tracesplice._ambient import Ambient, attributes
from tracesplice._current import SDK_SCOPE, ambient_values, current_observation, is_stored
from tracesplice._link import Link, PromptRef
from tracesplice._prompt import valid_ref
from tracesplice._values import MAX_VERSION, plain_text
from tracesplice_wire import shown, shown_kind, warn_once

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanContext

__all__ = ["capture_link", "own_prompt"]

_TYPE = "langfuse.observation.type"
_PROMPT_NAME = "langfuse.observation.prompt.name"
_PROMPT_VERSION = "langfuse.observation.prompt.version"
_TRACE_ID_BAGGAGE = "langfuse_trace_id"
_ALL_FLAGS = 0xFF


def capture_link(observation: Span | None = None) -> Link:
    """Capture the link of a call that is about to be sent from the current context.

    Args:
        observation: The span of the call's own client observation, where an adapter knows it;
            else the call belongs to ``current_observation()``.

    Returns:
        The link; without trace and parent where no span is open.
    """
    context = otel_context.get_current()
    current = trace.get_current_span(context)
    span = observation or current_observation()
    ambient = Ambient(context, span, ambient_values())
    trace_id, parent_id, flags = _place(span)
    return Link(
        trace_id=trace_id,
        parent_id=parent_id,
        trace_flags=flags,
        prompt=_prompt((span,) if span is current else (span, current), ambient),
        user_id=ambient.text("user_id"),
        session_id=ambient.text("session_id"),
        tags=ambient.tags(),
        trace_name=ambient.text("trace_name"),
        environment=ambient.environment(),
        version=ambient.text("version"),
        metadata=ambient.metadata(),
        project=None if trace_id is None else _project(span),
    )


def own_prompt(span: Span) -> PromptRef | None:
    """Return the prompt version ``span`` itself is linked to.

    Returns:
        None where it is linked to none, or only to the ambient one.
    """
    linked = _prompt((span,), None)
    ambient = _prompt((), Ambient(otel_context.get_current()))
    return None if linked == ambient else linked


def _place(span: Span) -> tuple[str | None, str | None, int]:
    own = span.get_span_context()
    parent = _nearest_observation(span, own) if own.is_valid else None
    if parent is None or not parent.is_valid:
        return None, None, trace.TraceFlags.SAMPLED
    return (
        trace.format_trace_id(own.trace_id),
        trace.format_span_id(parent.span_id),
        own.trace_flags & _ALL_FLAGS,
    )


def _nearest_observation(span: Span, own: SpanContext) -> SpanContext | None:
    # Langfuse does not store spans of, say, a web server or a database driver: a parent that never
    # arrives would leave the gateway generation hanging, nameless. OpenTelemetry keeps the ids of
    # one ancestor, so this is as far as one can look up. An ancestor in this process is likely
    # another span of the server's, unless Langfuse says that an observation of its own is around.
    if is_stored(span):
        return own
    parent: SpanContext | None = getattr(span, "parent", None)
    return parent if parent is None or parent.is_remote or _is_around(own) else None


def _is_around(inner: SpanContext) -> bool:
    # An observation that Langfuse's SDK makes current puts the id of its trace into the baggage
    # (https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/propagation.py).
    claimed = baggage.get_baggage(_TRACE_ID_BAGGAGE)
    return claimed == trace.format_trace_id(inner.trace_id)


def _project(span: Any) -> str | None:
    # Langfuse's SDK says on its tracer which project its observations are in
    # (https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/resource_manager.py).
    scope = getattr(span, "instrumentation_scope", None)
    if scope is None or scope.name != SDK_SCOPE:
        return None
    key = (scope.attributes or {}).get("public_key")
    return _digest(key) if isinstance(key, str) else None


@lru_cache(maxsize=64)
def _digest(public_key: str) -> str:
    return sha256(public_key.encode(errors="replace")).hexdigest()[:16]


def _prompt(nearest_first: tuple[Span, ...], ambient: Ambient | None) -> PromptRef | None:
    for span in nearest_first:
        found = attributes(span)
        if _PROMPT_NAME in found and _may_be_generation(span, found.get(_TYPE)):
            return _checked(found.get(_PROMPT_NAME), found.get(_PROMPT_VERSION))
    given = None if ambient is None else ambient.prompt()
    return None if given is None else _checked(*given)


def _may_be_generation(span: Span, kind: object) -> bool:
    # On anything else, a web server's span say, the attribute is what propagate_attributes left
    # behind when it was last entered there, not what is ambient now.
    return is_stored(span) if kind is None else kind == "generation"


def _checked(name: object, version: object) -> PromptRef | None:
    ref = valid_ref(name, version)
    if ref is None:
        warn_once(
            "prompt",
            "tracesplice: prompt %s has version %s and was not linked; Langfuse links integers "
            "from 1 to %d only, of prompts with a name of at most 200 characters. Use the prompt "
            "that langfuse.get_prompt returned.",
            shown_kind(name) if plain_text(name) is None else shown(name),
            shown(version),
            MAX_VERSION,
        )
    return ref
