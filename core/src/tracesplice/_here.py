"""What Langfuse's ambient context and spans say of the place where a call is made.

This runs in every call. Sources of the names: ``langfuse/_client/attributes.py`` and
``langfuse/_client/propagation.py`` in https://github.com/langfuse/langfuse-python. They are what
goes over the wire to a Langfuse server, so they are stable although the Python modules that define
them are private. In which order a server reads a span: ``OtelIngestionProcessor.ts`` in
https://github.com/langfuse/langfuse/tree/main/packages/shared/src/server/otel.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry import trace

from tracesplice._call_attributes import CallAttributes, Here
from tracesplice._langfuse_types import GENERATIONS, TYPE
from tracesplice._observation import (
    BAGGAGE_ENTRY,
    PROJECT_ATTRIBUTE,
    SDK_SCOPE,
    SPAN_ENTRY,
    attributes,
    is_stored,
    nearest_stored,
)
from tracesplice._places import places_of
from tracesplice._plain import MAX_READ, decoded, plain
from tracesplice._sources import (
    ambient_sources,
    current_observation,
    framework_values,
    observation_sources,
)
from tracesplice_wire import MAX_LENGTH, number, project_of, tag_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from tracesplice._plain import Plain

    Said = tuple[str, Plain]


__all__ = ["BAGGAGE", "PROPAGATED", "TRACE_ID", "ambient", "here", "prompt_on"]

BAGGAGE = "langfuse_"
"""How Langfuse's names in baggage begin."""

PROPAGATED = "langfuse.propagated."
"""How its names in OpenTelemetry's context begin."""

TRACE_ID = "langfuse_trace_id"
"""In baggage: the trace whose observations are around this place."""

_BAGGAGE_METADATA = "langfuse_metadata_"
_TRACE_METADATA = "langfuse.trace.metadata."
_PROMPT_NAME = "langfuse.observation.prompt.name"
_PROMPT_VERSION = "langfuse.observation.prompt.version"
# These are ours: how what a framework, the resource of a span, and its prompt say is named below.
_FRAMEWORK, _RESOURCE, _PROMPT = "framework ", "resource ", "prompt "

_KEYS = tuple(key for key in CallAttributes._fields if key != "project")
# Where it is said what is ambient, most trusted first.
_AMBIENT = {key: (f"{PROPAGATED}{key}", f"{BAGGAGE}{key}", f"{_FRAMEWORK}{key}") for key in _KEYS}
# What Langfuse shows to give a user per call of `langfuse.openai`:
# https://langfuse.com/integrations/model-providers/openai-py
_IN_METADATA = {
    key: tuple(f"langfuse.{level}.metadata.langfuse_{key}" for level in ("observation", "trace"))
    for key in ("user_id", "session_id", "tags")
}
# Where a span says what, most trusted first.
_ON_SPAN: dict[str, tuple[str, ...]] = {
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
    "metadata": (_TRACE_METADATA,),
}
_ENVIRONMENTS = ("langfuse.environment", "deployment.environment.name", "deployment.environment")
_ON_RESOURCE = frozenset(_ENVIRONMENTS)
# What each call is asked for, and is compared as it is: in the context, and on the span.
_TAGS, _METADATA = f"{PROPAGATED}tags", f"{PROPAGATED}metadata"
_VERSION = f"{PROPAGATED}prompt_version"
_IN_CONTEXT = tuple(name for name, *_ in _AMBIENT.values() if name not in (_TAGS, _METADATA))
_NAMES = (*(name for names in _ON_SPAN.values() for name in names), *_ENVIRONMENTS)
_SAMPLED = trace.TraceFlags.SAMPLED
_ALL_FLAGS = 0xFF
_TRACE_ID, _SPAN_ID = "%032x", "%016x"  # half the time of an f-string


# What was said, and the attributes that come of it: places in one part of an application say the
# same, call for call.
_known: dict[tuple[Any, ...], CallAttributes] = {}
_KNOWN = 256


def here(observation: Span | None = None) -> Here:
    """Look at the place where a call is made.

    Args:
        observation: The span of the call's own client observation, where an adapter knows it;
            else the call belongs to ``current_observation()``.
    """
    context = otel_context.get_current()
    current: Any = context.get(SPAN_ENTRY) or trace.INVALID_SPAN
    span: Any = observation or (current_observation() if observation_sources else current)
    try:
        # A copy, because the SDK's own mapping takes ten times as long for each key.
        on_span = span.attributes.copy()
    except AttributeError:
        on_span = attributes(span)
    others = _others(context, span, on_span)
    prompt = prompt_on(span, on_span) if _PROMPT_NAME in on_span else None
    if not prompt and span is not current:
        prompt = prompt_on(current, attributes(current))
    if prompt:
        others += _named(_PROMPT, prompt)
    scope = getattr(span, "instrumentation_scope", None)
    found = _attributes(context, scope, others, map(on_span.get, _NAMES))
    own = span.get_span_context()
    trace_id, span_id, _, flags, _, is_valid = own  # by their names each takes a call
    parent = nearest_stored(span) if found.project is None else own
    if parent is None or not is_valid or (parent is not own and not parent.is_valid):
        return Here(found)
    place = _TRACE_ID % trace_id, _SPAN_ID % (span_id if parent is own else parent.span_id)
    if not flags & _SAMPLED:
        return Here(found, *place, flags & _ALL_FLAGS)
    if parent is not own or on_span.get(TYPE, "generation") not in GENERATIONS:
        return Here(found, *place, flags & _ALL_FLAGS, (place,))
    places = places_of(place, span, on_span, current)
    return Here(found, *place, flags & _ALL_FLAGS, places, span)


def ambient(context: Context) -> CallAttributes:
    """Return what is ambient: in a context, its baggage, and the contexts of frameworks."""
    return _attributes(context, None, _others(context, None, {}), ())


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


def _others(context: Context, span: Any, on_span: Mapping[str, Any]) -> list[Said]:
    """Return what is said in other places than by a text in the context or on the span."""
    said: list[Said] = [(_METADATA, plain(context[_METADATA]))] if _METADATA in context else []
    carried: Any = context.get(BAGGAGE_ENTRY, ())
    if len(carried) > (TRACE_ID in carried):  # most often Langfuse's SDK puts in this alone
        said += _carried(carried)
    if ambient_sources:
        said += _named(_FRAMEWORK, framework_values())
    if _TRACE_METADATA in "\n".join(on_span):
        said += _named("", {_TRACE_METADATA: _after(_TRACE_METADATA, on_span)})
    try:
        on_resource = span.resource.attributes.copy()
    except AttributeError:
        return said  # a remote span has none
    if not _ON_RESOURCE.isdisjoint(on_resource):
        said += _named(_RESOURCE, {name: on_resource.get(name) for name in _ENVIRONMENTS})
    return said


def _carried(entries: Mapping[str, Any]) -> Iterator[Said]:
    for key in _KEYS:
        value = entries.get(f"{BAGGAGE}{key}")
        if value is None or key == "metadata":
            continue
        if key == "tags":
            found = decoded(value, list)
            value = tag_list(found) if isinstance(found, str) else found
        elif key == "prompt_version":
            value = number(value)
        yield f"{BAGGAGE}{key}", plain(value)
    if metadata := _after(_BAGGAGE_METADATA, entries):
        yield f"{BAGGAGE}metadata", plain(metadata)


def _after(prefix: str, source: Mapping[str, Any]) -> dict[str, Any]:
    return {name[len(prefix) :]: source[name] for name in source if name.startswith(prefix)}


def _named(prefix: str, values: Mapping[str, Any]) -> list[Said]:
    return [(f"{prefix}{name}", plain(value)) for name, value in values.items()]


def _attributes(
    context: Context, scope: Any, others: list[Said], on_span: Iterable[Any]
) -> CallAttributes:
    """Return the attributes that come of what is said.

    Args:
        context: Where some of it is said.
        scope: The instrumentation scope of the call's observation.
        others: What is said elsewhere, by name.
        on_span: The values of ``_NAMES``.
    """
    tags = context.get(_TAGS)
    said = (
        scope,
        (*others,),
        type(context.get(_VERSION)),  # as True is equal to 1
        tuple(tags) if type(tags) is list else tags,
        *map(context.get, _IN_CONTEXT),
        *on_span,
    )
    try:
        return _known[said]
    except Exception:  # noqa: BLE001  (it is new; or of values that cannot be compared)
        return _read(said)


def _read(said: tuple[Any, ...]) -> CallAttributes:
    scope, others, _, *values = said
    names = (_TAGS, *_IN_CONTEXT, *_NAMES)
    by_name = {name: _decoded(name, value) for name, value in zip(names, values, strict=False)}
    found = _chosen({**by_name, **dict(others)}, None if scope is None else _project(scope))
    if all(map(_is_short, values)):
        with suppress(Exception):  # another thread was quicker
            while len(_known) >= _KNOWN:
                del _known[next(iter(_known))]
        _known[said] = found
    return found


def _decoded(name: str, value: object) -> Plain:
    if name not in _NAMES or name in _ENVIRONMENTS:
        return plain(value)
    return plain(decoded(value, (str, list) if name in _ON_SPAN["tags"] else str))


def _is_short(value: object) -> bool:
    """Return whether a value can be kept and compared as it is."""
    if type(value) is tuple:
        return len(value) <= MAX_READ and all(map(_is_short, value))
    if type(value) is str:
        return len(value) <= MAX_LENGTH
    return value is None or type(value) is int


def _chosen(by_name: Mapping[str, Plain], project: str | None) -> CallAttributes:
    """Return what goes first of all that is said, by name."""
    values: dict[str, Plain] = {}
    for key in _KEYS:
        # What is ambient goes before what is on the span: Langfuse puts it there, where it shows.
        values[key] = _first((*_AMBIENT[key], *_ON_SPAN.get(key, ())), by_name)
    values["environment"] = _environment(by_name, values["environment"])
    if f"{_PROMPT}prompt_name" in by_name:
        values |= {key: by_name[f"{_PROMPT}{key}"] for key in ("prompt_name", "prompt_version")}
    return CallAttributes(**values, project=project)


def _first(names: tuple[str, ...], by_name: Mapping[str, Plain]) -> Plain:
    return next((by_name[name] for name in names if by_name.get(name) is not None), None)


def _environment(by_name: Mapping[str, Plain], other: Plain) -> Plain:
    # A span has its own from `propagate_attributes` or `Langfuse(environment=)`, when it starts; of
    # one by another instrumentation the resource has it. Name by name, as Langfuse reads them:
    # OpenLIT's spans have the last one themselves.
    prefixes = ("", _RESOURCE) if other is None else ("",)
    names = tuple(f"{prefix}{name}" for name in _ENVIRONMENTS for prefix in prefixes)
    found = _first(names, by_name)
    return other if found is None else found


def _project(scope: Any) -> str | None:
    # Langfuse's SDK says on its tracer which project its observations are in
    # (https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/resource_manager.py).
    said = (scope.attributes or {}) if scope.name == SDK_SCOPE else {}
    if isinstance(key := said.get("public_key"), str):
        return project_of(key)
    # Of an observation in another process only this is known.
    return said.get(PROJECT_ATTRIBUTE)
