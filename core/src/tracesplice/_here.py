"""What Langfuse's ambient context and spans say of the place where a call is made.

This runs in every call. Sources of the names: ``langfuse/_client/attributes.py`` and
``langfuse/_client/propagation.py`` in https://github.com/langfuse/langfuse-python. They are what
goes over the wire to a Langfuse server, so they are stable although the Python modules that define
them are private. In which order a server reads a span: ``OtelIngestionProcessor.ts`` in
https://github.com/langfuse/langfuse/tree/main/packages/shared/src/server/otel.
"""

from __future__ import annotations

from functools import lru_cache
from types import NoneType
from typing import TYPE_CHECKING, Any

from opentelemetry import baggage, trace
from opentelemetry import context as otel_context

from tracesplice._call_attributes import CallAttributes, Here
from tracesplice._langfuse_types import GENERATIONS, TYPE
from tracesplice._observation import (
    PROJECT_ATTRIBUTE,
    SDK_SCOPE,
    attributes,
    is_stored,
    nearest_stored,
)
from tracesplice._places import places_of
from tracesplice._plain import decoded, plain
from tracesplice._sources import (
    ambient_sources,
    current_observation,
    framework_values,
    observation_sources,
)
from tracesplice_wire import MAX_LENGTH, number, project_of, tag_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span


__all__ = ["BAGGAGE", "PROPAGATED", "TRACE_ID", "ambient", "here", "prompt_on"]

_TEXTS = ("user_id", "session_id", "trace_name", "environment", "version", "prompt_name")
_KEYS = (*_TEXTS, "prompt_version", "tags")
BAGGAGE = "langfuse_"
"""How Langfuse's names in baggage begin."""

PROPAGATED = "langfuse.propagated."
"""How its names in OpenTelemetry's context begin."""

TRACE_ID = "langfuse_trace_id"
"""In baggage: the trace whose observations are around this place."""

_IN_BAGGAGE = {f"{BAGGAGE}{key}": key for key in _KEYS}
_IN_CONTEXT = {f"{PROPAGATED}{key}": key for key in (*_KEYS, "metadata")}
_BAGGAGE_METADATA = "langfuse_metadata_"
_TRACE_METADATA = "langfuse.trace.metadata."
# What Langfuse shows to give a user per call of `langfuse.openai`:
# https://langfuse.com/integrations/model-providers/openai-py
_IN_METADATA = {
    key: tuple(f"langfuse.{level}.metadata.langfuse_{key}" for level in ("observation", "trace"))
    for key in ("user_id", "session_id", "tags")
}
# Where a span says what, most trusted first.
_ON_SPAN = {
    "user_id": ("langfuse.user.id", "user.id", *_IN_METADATA["user_id"]),
    "session_id": (
        "langfuse.session.id",
        "session.id",
        "gen_ai.conversation.id",  # pydantic-ai's, for one
        *_IN_METADATA["session_id"],
    ),
    "tags": ("langfuse.trace.tags", "langfuse.tags", *_IN_METADATA["tags"]),
    "trace_name": ("langfuse.trace.name",),
    "version": ("langfuse.version",),
}
_ENVIRONMENTS = ("langfuse.environment", "deployment.environment.name", "deployment.environment")
_PROMPT_NAME = "langfuse.observation.prompt.name"
_PROMPT_VERSION = "langfuse.observation.prompt.version"
_ALL_FLAGS = 0xFF
_TEXT, _NUMBER = frozenset({str, NoneType}), (int, NoneType)


def here(observation: Span | None = None) -> Here:
    """Look at the place where a call is made.

    Args:
        observation: The span of the call's own client observation, where an adapter knows it;
            else the call belongs to ``current_observation()``.
    """
    context = otel_context.get_current()
    current = trace.get_current_span(context)
    span: Any = observation or (current_observation() if observation_sources else current)
    try:
        # A copy, because the SDK's own mapping takes ten times as long for each key.
        on_span = span.attributes.copy()
    except AttributeError:
        on_span = attributes(span)
    scope = getattr(span, "instrumentation_scope", None)
    project = None if scope is None else _project(scope)
    values = _values(context, span, on_span)
    prompt = prompt_on(span, on_span) if _PROMPT_NAME in on_span else None
    if not prompt and span is not current:
        prompt = prompt_on(current, attributes(current))
    if prompt:
        values |= prompt
    found = _plainly(values, project)
    own = span.get_span_context()
    parent = nearest_stored(span) if project is None else own
    if parent is None or not parent.is_valid or not own.is_valid:
        return Here(found)
    trace_id, span_id, _, flags, *_ = own  # a named tuple; by their names each takes a call
    place = f"{trace_id:032x}", f"{span_id if parent is own else parent.span_id:016x}"
    if not flags & trace.TraceFlags.SAMPLED:
        return Here(found, *place, flags & _ALL_FLAGS)
    if parent is not own or on_span.get(TYPE, "generation") not in GENERATIONS:
        return Here(found, *place, flags & _ALL_FLAGS, (place,))
    places = places_of(place, span, on_span, current)
    return Here(found, *place, flags & _ALL_FLAGS, places, span)


@lru_cache(maxsize=64)
def _project(scope: Any) -> str | None:
    # Langfuse's SDK says on its tracer which project its observations are in
    # (https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/resource_manager.py).
    said = (scope.attributes or {}) if scope.name == SDK_SCOPE else {}
    if isinstance(key := said.get("public_key"), str):
        return project_of(key)
    # Of an observation in another process only this is known.
    return said.get(PROJECT_ATTRIBUTE)


def prompt_on(span: Span, on_span: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``prompt_name`` and ``prompt_version`` of the prompt that ``span`` is linked to.

    Args:
        span: The span of an observation.
        on_span: Its attributes.
    """
    if _PROMPT_NAME not in on_span:
        return {}
    # On anything but a generation, a web server's span say, the attribute is what
    # `propagate_attributes` left behind when it was last entered there, not what is ambient now.
    kind = on_span.get(TYPE)
    if not (is_stored(span) if kind is None else kind == "generation"):
        return {}
    return {"prompt_name": on_span[_PROMPT_NAME], "prompt_version": on_span.get(_PROMPT_VERSION)}


def _plainly(values: dict[str, Any], project: str | None) -> CallAttributes:
    """Return ``values`` as they can be kept and compared."""
    for key in ("tags", "metadata"):
        if values[key] is not None:
            values[key] = plain(values[key])
    # Most often the others are plain. Without a loop of ours, because this runs in each call.
    texts = [*map(values.get, _TEXTS)]
    are_plain = _TEXT.issuperset(map(type, texts)) and type(values["prompt_version"]) in _NUMBER
    if not are_plain or max(map(len, filter(None, texts)), default=0) > MAX_LENGTH:
        for key in (*_TEXTS, "prompt_version"):
            values[key] = plain(values[key])
    values["project"] = project
    return CallAttributes(*map(values.get, CallAttributes._fields))  # a source may say more


def _values(context: Context, span: Any, on_span: Mapping[str, Any]) -> dict[str, Any]:
    values = ambient(context)
    # What is ambient goes before what is on the span: Langfuse puts it there, where it shows.
    for key, names in _ON_SPAN.items():
        if values[key] is None:
            for name in names:
                if name in on_span:
                    kinds = (str, list) if key == "tags" else str
                    values[key] = decoded(on_span[name], kinds)
                    break
    if values["metadata"] is None and _TRACE_METADATA in "\n".join(on_span):
        values["metadata"] = _after(_TRACE_METADATA, on_span)
    values["environment"] = _environment(span, on_span, values["environment"])
    return values


def _environment(span: Any, on_span: Mapping[str, Any], other: object) -> object:
    # A span has its own from `propagate_attributes` or `Langfuse(environment=)`, when it starts; of
    # one by another instrumentation the resource has it.
    said = on_span
    if other is None:
        try:
            said = {**span.resource.attributes.copy(), **on_span}
        except AttributeError:
            said = on_span  # a remote span has no resource
    # Name by name, as Langfuse reads them: OpenLIT's spans have the last one themselves.
    for name in _ENVIRONMENTS:
        if name in said:
            return said[name]
    return other


def ambient(context: Context) -> dict[str, Any]:
    """Return what is ambient: in a context, its baggage, and the contexts of frameworks.

    Returns:
        The attributes of a call but its project, each None where nothing says it.
    """
    values: dict[str, Any] = dict.fromkeys(_IN_CONTEXT.values())
    if ambient_sources:
        values |= framework_values()
    carried = baggage.get_all(context)
    if len(carried) > (TRACE_ID in carried):  # most often Langfuse's SDK puts in this alone
        values |= _carried(carried)
    for name, value in context.items():
        if name in _IN_CONTEXT and value is not None:
            values[_IN_CONTEXT[name]] = value
    return values


def _carried(entries: Mapping[str, Any]) -> dict[str, Any]:
    values = {key: entries[name] for name, key in _IN_BAGGAGE.items() if name in entries}
    if "tags" in values:
        found = decoded(values["tags"], list)
        values["tags"] = tag_list(found) if isinstance(found, str) else found
    if "prompt_version" in values:
        values["prompt_version"] = number(values["prompt_version"])
    if metadata := _after(_BAGGAGE_METADATA, entries):
        values["metadata"] = metadata
    return values


def _after(prefix: str, source: Mapping[str, Any]) -> dict[str, Any]:
    return {name[len(prefix) :]: source[name] for name in source if name.startswith(prefix)}
