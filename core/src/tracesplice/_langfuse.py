"""The one place that knows Langfuse's attribute and context names.

Sources: ``langfuse/_client/attributes.py`` and ``langfuse/_client/propagation.py`` in
https://github.com/langfuse/langfuse-python. The names are what goes over the wire to a Langfuse
server, so they are stable although the Python modules that define them are private.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import baggage, trace
from opentelemetry import context as otel_context

from tracesplice._current import ambient_values, current_observation, is_stored
from tracesplice._link import Link, PromptRef
from tracesplice._prompt import name_and_version, valid_ref
from tracesplice._report import warn_once
from tracesplice._shown import shown, shown_kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, SpanContext

__all__ = ["capture_link", "own_prompt"]

_TYPE = "langfuse.observation.type"
_PROMPT_NAME = "langfuse.observation.prompt.name"
_PROMPT_VERSION = "langfuse.observation.prompt.version"
_MAX_VALUE_LENGTH = 200  # Langfuse drops longer ids, tags and names

# On a span, and as an ambient value.
_ON_SPAN = {
    "user_id": "user.id",
    "session_id": "session.id",
    "tags": "langfuse.trace.tags",
    "trace_name": "langfuse.trace.name",
    "environment": "langfuse.environment",
}
_AMBIENT = tuple(
    (key, f"langfuse.propagated.{key}", f"langfuse_{key}")
    for key in (*_ON_SPAN, "prompt_name", "prompt_version")
)

_NOTHING: dict[str, Any] = {}


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
    on_span = _attributes(span)
    ambient = {**_ambient_in_frameworks(), **_ambient(context)}
    trace_id, parent_id, flags = _place(span)
    return Link(
        trace_id=trace_id,
        parent_id=parent_id,
        trace_flags=flags,
        prompt=_prompt((span,) if span is current else (span, current), ambient),
        user_id=_text("user_id", ambient, on_span),
        session_id=_text("session_id", ambient, on_span),
        tags=_tags(ambient, on_span),
        trace_name=_text("trace_name", ambient, on_span),
        environment=_text("environment", ambient, on_span),
    )


def own_prompt(span: Span) -> PromptRef | None:
    """Return the prompt version ``span`` itself is linked to.

    Returns:
        None where it is linked to none, or only to the ambient one.
    """
    linked = _prompt((span,), _NOTHING)
    ambient = _prompt((), _ambient(otel_context.get_current()))
    return None if linked == ambient else linked


def _place(span: Span) -> tuple[str | None, str | None, int]:
    own = span.get_span_context()
    if not own.is_valid:
        return None, None, trace.TraceFlags.SAMPLED
    parent = _nearest_observation(span, own)
    return (
        trace.format_trace_id(own.trace_id),
        trace.format_span_id(parent.span_id),
        own.trace_flags,
    )


def _nearest_observation(span: Span, own: SpanContext) -> SpanContext:
    # Langfuse does not store spans of, say, a web server or a database driver: a parent that never
    # arrives would leave the gateway generation hanging. OpenTelemetry keeps the ids of one
    # ancestor, so this is as far as one can look up.
    if is_stored(span):
        return own
    parent: SpanContext | None = getattr(span, "parent", None)
    return parent or own


def _prompt(nearest_first: tuple[Span, ...], ambient: Mapping[str, Any]) -> PromptRef | None:
    for span in nearest_first:
        attributes = _attributes(span)
        if _PROMPT_NAME in attributes and _may_be_generation(span, attributes.get(_TYPE)):
            return _checked(attributes.get(_PROMPT_NAME), attributes.get(_PROMPT_VERSION))
    name = ambient.get("prompt_name")
    return None if name is None else _checked(name, _number(ambient.get("prompt_version")))


def _may_be_generation(span: Span, kind: object) -> bool:
    # On anything else, a web server's span say, the attribute is what propagate_attributes left
    # behind when it was last entered there, not what is ambient now.
    return is_stored(span) if kind is None else kind == "generation"


def _number(version: object) -> object:
    # Baggage is text, and may come from anybody.
    return int(version) if isinstance(version, str) and version.isdecimal() else version


def _checked(name: object, version: object) -> PromptRef | None:
    ref = valid_ref(name, version)
    if ref is None:
        warn_once(
            "prompt",
            "tracesplice: prompt %s has version %s and was not linked; Langfuse links integers of "
            "1 or more only. Use the prompt that langfuse.get_prompt returned.",
            shown(name),
            shown(version),
        )
    return ref


def _text(key: str, ambient: Mapping[str, Any], on_span: Mapping[str, Any]) -> str | None:
    value = ambient.get(key)
    if value is None:
        value = on_span.get(_ON_SPAN[key])
    return value if value is None or _fits(key, value) else None


def _tags(ambient: Mapping[str, Any], on_span: Mapping[str, Any]) -> tuple[str, ...]:
    value = ambient.get("tags")
    if value is None:
        value = on_span.get(_ON_SPAN["tags"]) or ()
    tags = (value,) if isinstance(value, str) else value
    return tuple(tag for tag in tags if _fits("tags", tag))


def _fits(key: str, value: object) -> bool:
    if isinstance(value, str) and 0 < len(value) <= _MAX_VALUE_LENGTH:
        return True
    warn_once(
        f"value:{key}",
        "tracesplice: %s, %s, was left out; Langfuse takes text of 1 to %d characters.",
        key,
        shown_kind(value),
        _MAX_VALUE_LENGTH,
    )
    return False


def _ambient(context: Context) -> dict[str, Any]:
    carried = baggage.get_all(context)
    found = {}
    for key, in_context, in_baggage in _AMBIENT:
        value = context.get(in_context)
        if value is None and carried:
            value = carried.get(in_baggage)
        if value is not None:
            found[key] = value
    return found


def _ambient_in_frameworks() -> Mapping[str, Any]:
    values = ambient_values()
    if "prompt" in values:
        values["prompt_name"], values["prompt_version"] = name_and_version(values.pop("prompt"))
    return values


def _attributes(span: Span) -> Mapping[str, Any]:
    # Only the SDK's spans can be read; a remote or suppressed parent has ids alone.
    return getattr(span, "attributes", None) or _NOTHING
