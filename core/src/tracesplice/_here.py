"""What Langfuse's ambient context and spans say of the place where a call is made.

This runs in every call. Sources of the names: ``langfuse/_client/attributes.py`` and
``langfuse/_client/propagation.py`` in https://github.com/langfuse/langfuse-python. They are what
goes over the wire to a Langfuse server, so they are stable although the Python modules that define
them are private. In which order a server reads a span: ``OtelIngestionProcessor.ts`` in
https://github.com/langfuse/langfuse/tree/main/packages/shared/src/server/otel.
"""

from __future__ import annotations

from functools import lru_cache
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

_KEYS = (
    "user_id",
    "session_id",
    "tags",
    "trace_name",
    "environment",
    "version",
    "prompt_name",
    "prompt_version",
)
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
# Where a span says what, most trusted first. The metadata is how Langfuse shows to give a user per
# call of `langfuse.openai`: https://langfuse.com/integrations/model-providers/openai-py
_ON_SPAN = {
    "langfuse.user.id": "user_id",
    "user.id": "user_id",
    "langfuse.session.id": "session_id",
    "session.id": "session_id",
    "gen_ai.conversation.id": "session_id",  # pydantic-ai's, for one
    "langfuse.trace.tags": "tags",
    "langfuse.tags": "tags",
    "langfuse.trace.name": "trace_name",
    "langfuse.version": "version",
} | {
    f"langfuse.{level}.metadata.langfuse_{key}": key
    for level in ("observation", "trace")
    for key in ("user_id", "session_id", "tags")
}
_ENVIRONMENTS = ("langfuse.environment", "deployment.environment.name", "deployment.environment")
_PROMPT_NAME = "langfuse.observation.prompt.name"
_PROMPT_VERSION = "langfuse.observation.prompt.version"
_ALL_FLAGS = 0xFF


def here(observation: Span | None = None) -> Here:
    """Look at the place where a call is made.

    Args:
        observation: The span of the call's own client observation, where an adapter knows it;
            else the call belongs to ``current_observation()``.
    """
    context = otel_context.get_current()
    current = trace.get_current_span(context)
    span: Any = observation or (current_observation() if observation_sources else current)
    said_by: Any = getattr(span, "attributes", None)
    # A copy, because the SDK's own mapping takes ten times as long for each key.
    on_span = said_by.copy() if hasattr(said_by, "copy") else dict(said_by or {})
    values = _values(context, span, on_span)
    prompt = prompt_on(span, on_span) if _PROMPT_NAME in on_span else None
    if not prompt and span is not current:
        prompt = prompt_on(current, attributes(current))
    if prompt:
        values |= prompt
    scope = getattr(span, "instrumentation_scope", None)
    project = None if scope is None else _project(scope)
    for key, value in values.items():
        kind = type(value)
        if kind is not int and (kind is not str or len(value) > MAX_LENGTH):
            values[key] = plain(value)
    values["project"] = project
    found = CallAttributes(*map(values.get, CallAttributes._fields))
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


def _values(context: Context, span: Any, on_span: Mapping[str, Any]) -> dict[str, Any]:
    values = ambient(context)
    # What is ambient goes before what is on the span: Langfuse puts it there, where it shows.
    for name, key in _ON_SPAN.items():
        if name in on_span and key not in values:
            values[key] = decoded(on_span[name], (str, list) if key == "tags" else str)
    if "metadata" not in values and _TRACE_METADATA in "\n".join(on_span):
        values["metadata"] = _after(_TRACE_METADATA, on_span)
    environment = _environment(span, on_span, values.get("environment"))
    if environment is not None:
        values["environment"] = environment
    return values


def _environment(span: Any, on_span: Mapping[str, Any], other: object) -> object:
    # A span has its own from `propagate_attributes` or `Langfuse(environment=)`, when it starts; of
    # one by another instrumentation the resource has it.
    if _ENVIRONMENTS[0] in on_span:
        return on_span[_ENVIRONMENTS[0]]
    on_resource: Any = getattr(getattr(span, "resource", None), "attributes", None)
    on_resource = on_resource.copy() if hasattr(on_resource, "copy") else on_resource or {}
    # Name by name, as Langfuse reads them: OpenLIT's spans have the last one themselves.
    for name in _ENVIRONMENTS:
        if name in on_span:
            return on_span[name]
        if other is None and name in on_resource:
            return on_resource[name]
    return other


def ambient(context: Context) -> dict[str, Any]:
    """Return what is ambient: in a context, its baggage, and the contexts of frameworks."""
    values = framework_values() if ambient_sources else {}
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
