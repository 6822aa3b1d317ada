"""The one place that knows Langfuse's attribute and context names.

Sources: ``langfuse/_client/attributes.py`` and ``langfuse/_client/propagation.py`` in
https://github.com/langfuse/langfuse-python. The names are what goes over the wire to a Langfuse
server, so they are stable although the Python modules that define them are private.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import baggage, trace
from opentelemetry import context as otel_context

from tracesplice._link import Link, PromptRef
from tracesplice._prompt import valid_ref
from tracesplice._report import warn_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, SpanContext

__all__ = ["capture_link"]

_TYPE = "langfuse.observation.type"
_PROMPT_NAME = "langfuse.observation.prompt.name"
_PROMPT_VERSION = "langfuse.observation.prompt.version"
_SDK_SCOPE = "langfuse-sdk"
_MAX_VALUE_LENGTH = 200  # Langfuse drops longer ids, tags and names

# The key an ambient value has in the OpenTelemetry context and in baggage, and on a span.
_USER = ("user_id", "user.id")
_SESSION = ("session_id", "session.id")
_TAGS = ("tags", "langfuse.trace.tags")
_TRACE_NAME = ("trace_name", "langfuse.trace.name")
_ENVIRONMENT = ("environment", "langfuse.environment")

_NOTHING: dict[str, Any] = {}


def capture_link(observation: Span | None = None) -> Link:
    """Capture the link of a call that is about to be sent from the current context.

    Args:
        observation: The span of the call's own client observation, where an adapter knows it;
            else the current span is what the call belongs to.

    Returns:
        The link; without trace and parent where no span is open.
    """
    context = otel_context.get_current()
    current = trace.get_current_span(context)
    span = observation or current
    on_span = _attributes(span)
    trace_id, parent_id, flags = _place(span)
    return Link(
        trace_id=trace_id,
        parent_id=parent_id,
        trace_flags=flags,
        prompt=_prompt((span, current), context),
        user_id=_text(_USER, context, on_span),
        session_id=_text(_SESSION, context, on_span),
        tags=_tags(context, on_span),
        trace_name=_text(_TRACE_NAME, context, on_span),
        environment=_text(_ENVIRONMENT, context, on_span),
    )


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
    scope = getattr(span, "instrumentation_scope", None)
    if scope is None or scope.name == _SDK_SCOPE or _is_exported(span):
        return own
    parent: SpanContext | None = getattr(span, "parent", None)
    return parent or own


def _is_exported(span: Any) -> bool:
    from langfuse.span_filter import is_default_export_span

    return bool(is_default_export_span(span))


def _prompt(nearest_first: tuple[Span, ...], context: Context) -> PromptRef | None:
    for span in nearest_first:
        attributes = _attributes(span)
        if _PROMPT_NAME in attributes and _may_be_generation(span, attributes.get(_TYPE)):
            return _checked(attributes.get(_PROMPT_NAME), attributes.get(_PROMPT_VERSION))
    name = _ambient("prompt_name", context)
    if name is None:
        return None
    version = _ambient("prompt_version", context)
    return _checked(name, _number(version))


def _may_be_generation(span: Span, kind: object) -> bool:
    # On anything else, a web server's span say, the attribute is what propagate_attributes left
    # behind when it was last entered there, not what is ambient now.
    return _is_exported(span) if kind is None else kind == "generation"


def _number(version: object) -> object:
    # Baggage is text, and may come from anybody.
    return int(version) if isinstance(version, str) and version.isdecimal() else version


def _checked(name: object, version: object) -> PromptRef | None:
    ref = valid_ref(name, version)
    if ref is None:
        warn_once(
            f"prompt:{name}:{version}",
            "tracesplice: prompt %r has version %r and was not linked; Langfuse links integers of "
            "1 or more only. Use the prompt that langfuse.get_prompt returned.",
            name,
            version,
        )
    return ref


def _text(keys: tuple[str, str], context: Context, on_span: Mapping[str, Any]) -> str | None:
    value = _ambient(keys[0], context)
    if value is None:
        value = on_span.get(keys[1])
    return value if value is None or _fits(keys[0], value) else None


def _tags(context: Context, on_span: Mapping[str, Any]) -> tuple[str, ...]:
    value = _ambient(_TAGS[0], context)
    if value is None:
        value = on_span.get(_TAGS[1]) or ()
    tags = (value,) if isinstance(value, str) else value
    return tuple(tag for tag in tags if _fits("tags", tag))


def _fits(key: str, value: object) -> bool:
    if isinstance(value, str) and 0 < len(value) <= _MAX_VALUE_LENGTH:
        return True
    warn_once(
        f"value:{key}",
        "tracesplice: %s %.40r… was left out; Langfuse takes text of 1 to %d characters.",
        key,
        value,
        _MAX_VALUE_LENGTH,
    )
    return False


def _ambient(key: str, context: Context) -> Any:
    value = otel_context.get_value(f"langfuse.propagated.{key}", context)
    return baggage.get_baggage(f"langfuse_{key}", context) if value is None else value


def _attributes(span: Span) -> Mapping[str, Any]:
    # Only the SDK's spans can be read; a remote or suppressed parent has ids alone.
    return getattr(span, "attributes", None) or _NOTHING
