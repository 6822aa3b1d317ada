"""The place where a call is made, as Langfuse's ambient context and spans say. Runs in every call.

Calls of one user and session say the same again and again, so what comes of it is kept.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry import trace

from tracesplice._call_attributes import CallAttributes, Here, encoded, in_environment
from tracesplice._client_environment import client_environment
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
from tracesplice._plain import MAX_READ
from tracesplice._said import (
    METADATA,
    PROMPT_NAME,
    PROMPT_VERSION,
    TAGS,
    TRACE_ID,
    TRACE_METADATA,
    VERSION,
    chosen,
    said_elsewhere,
    said_of_prompt,
    said_on,
    telling_in_context,
    telling_on_span,
)
from tracesplice._sources import ambient_sources, current_observation, observation_sources
from tracesplice_wire import MAX_LENGTH, project_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from tracesplice._plain import Plain

__all__ = ["ambient", "here", "prompt_on"]

_SAMPLED = trace.TraceFlags.SAMPLED
_ALL_FLAGS = 0xFF
_TRACE_ID, _SPAN_ID = "%032x", "%016x"  # half the time of an f-string

# What was said; what comes of it, and what was said by its id alone.
_known: dict[tuple[Any, ...], tuple[CallAttributes, object]] = {}
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
    prompt = prompt_on(span, on_span) if PROMPT_NAME in on_span else None
    if not prompt and span is not current:
        prompt = prompt_on(current, attributes(current))
    found = _attributes(context, span, on_span, prompt)
    own = span.get_span_context()
    trace_id, span_id, _, flags, _, is_valid = own  # by their names each takes a call
    parent = own
    if not found.headers:  # else Langfuse's SDK made it
        parent = nearest_stored(span)
        if parent is not own or getattr(span, "instrumentation_scope", None) is None:
            found = _in_client_environment(found)  # one that is not sampled, or another process's
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
    return _attributes(context, None, {}, None)


def prompt_on(span: Span, on_span: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``prompt_name`` and ``prompt_version`` of the prompt that ``span`` is linked to.

    Args:
        span: The span of an observation.
        on_span: Its attributes.
    """
    if PROMPT_NAME not in on_span:
        return {}
    # On anything but a generation, a web server's span say, the attribute is what
    # `propagate_attributes` left behind when it was last entered there, not what is ambient now.
    kind = on_span.get(TYPE)
    if not (is_stored(span) if kind is None else kind == "generation"):
        return {}
    return {"prompt_name": on_span[PROMPT_NAME], "prompt_version": on_span.get(PROMPT_VERSION)}


def _attributes(
    context: Context, span: Any, on_span: Mapping[str, Any], prompt: Mapping[str, Any] | None
) -> CallAttributes:
    """Return the attributes that come of all that is said.

    Args:
        context: Where some of it is said.
        span: The call's observation, or None.
        on_span: What that says.
        prompt: What is said of its prompt.
    """
    in_context, on_it = telling_in_context(*context), telling_on_span(*on_span)
    carried: Any = context.get(BAGGAGE_ENTRY, ())
    others: tuple[tuple[str, Plain], ...] = said_of_prompt(prompt) if prompt else ()
    if (
        len(carried) > (TRACE_ID in carried)  # most often Langfuse's SDK puts in this alone
        or METADATA in context
        or TRACE_METADATA in on_it
        or ambient_sources
    ):
        others = (*others, *said_elsewhere(context, on_span))
    tags = context.get(TAGS)
    # These two never change. To compare them by what is in them takes longer than all the rest.
    scope, resource = getattr(span, "instrumentation_scope", None), getattr(span, "resource", None)
    said = (
        id(scope),
        id(resource),
        type(context.get(VERSION)),  # as True is equal to 1
        others,
        in_context,
        on_it,
        (*tags,) if type(tags) is list else tags,
        *map(context.get, in_context),
        *map(on_span.get, on_it),
    )
    try:
        return _known[said][0]
    except Exception:  # noqa: BLE001  (it is new; or of values that cannot be compared)
        return _read(said, scope, resource)


def _in_client_environment(found: CallAttributes) -> CallAttributes:
    if found.link.environment is not None or (environment := client_environment()) is None:
        return found
    return in_environment(found.link, environment)


def _read(said: tuple[Any, ...], scope: Any, resource: Any) -> CallAttributes:
    _, _, _, others, in_context, on_it, *values = said
    names = (TAGS, *in_context, *on_it)
    by_name = {name: said_on(name, value) for name, value in zip(names, values, strict=True)}
    found = chosen({**by_name, **dict(others)}, attributes(resource))
    made = encoded(found, None if scope is None else _project(scope))
    if all(map(_is_short, values)):
        with suppress(Exception):  # another thread was quicker
            while len(_known) >= _KNOWN:
                del _known[next(iter(_known))]
        _known[said] = made, (scope, resource)  # so that nothing else gets their ids
    return made


def _is_short(value: object) -> bool:
    """Return whether a value can be kept and compared as it is."""
    if type(value) is tuple:
        return len(value) <= MAX_READ and all(map(_is_short, value))
    if type(value) is str:
        return len(value) <= MAX_LENGTH
    return value is None or type(value) is int


def _project(scope: Any) -> str | None:
    # Langfuse's SDK says on its tracer which project its observations are in
    # (https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/resource_manager.py).
    said = (scope.attributes or {}) if scope.name == SDK_SCOPE else {}
    if isinstance(key := said.get("public_key"), str):
        return project_of(key)
    # Of an observation in another process only this is known.
    found = said.get(PROJECT_ATTRIBUTE)
    return found if isinstance(found, str) else None
