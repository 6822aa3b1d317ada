"""What frameworks know of the place where a call is made, beside OpenTelemetry's context.

A framework has a context of its own. An adapter tells of it by two functions, which are called for
every call that is linked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from tracesplice._observation import is_stored
from tracesplice._prompt import name_and_version
from tracesplice_wire import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.trace import Span

    Find = Callable[[], Span | None]
    Read = Callable[[], Mapping[str, Any] | None]

__all__ = [
    "ambient_source",
    "ambient_sources",
    "current_observation",
    "framework_values",
    "observation_source",
    "observation_sources",
]

observation_sources: dict[Find, Find] = {}
ambient_sources: dict[Read, Read] = {}


def observation_source(find: Find) -> None:
    """Register a function that knows of observations that frameworks do not make current.

    Args:
        find: Returns the span of the observation at work where it is called, or None; must be
            fast. To register it again changes nothing.
    """
    observation_sources.setdefault(find, guarded("the observation a call belongs to")(find))


def ambient_source(read: Read) -> None:
    """Register a function that knows of values that are in force in a framework's context alone.

    Args:
        read: Returns them by the names that ``langfuse.propagate_attributes`` has for them, or
            None; must be fast. What is in force in OpenTelemetry's context goes before them.
    """
    ambient_sources.setdefault(read, guarded("the user, session, tags and prompt of a call")(read))


def framework_values() -> dict[str, Any]:
    """Return the values that are in force in the contexts of frameworks."""
    found: dict[str, Any] = {}
    for read in tuple(ambient_sources.values()):  # another thread may import a framework meanwhile
        found.update(read() or {})
    if (prompt := found.pop("prompt", None)) is not None:
        name, version = name_and_version(prompt)
        found |= {} if name is None else {"prompt_name": name, "prompt_version": version}
    return found


def current_observation() -> Span:
    """Return the innermost observation at this place that Langfuse stores.

    It is OpenTelemetry's current span or that of a registered source.

    Returns:
        The current span, which may be invalid, where there is no observation.
    """
    found = trace.get_current_span()
    for find in tuple(observation_sources.values()):
        other = find()
        if other is not None and other.get_span_context() != found.get_span_context():
            found = _inner(found, other)
    return found


def _inner(current: Span, other: Span) -> Span:
    if not current.get_span_context().is_valid:
        return other
    stored = is_stored(current)
    if stored != is_stored(other):
        return current if stored else other
    began, other_began = (getattr(each, "start_time", None) for each in (current, other))
    if not isinstance(began, int) or not isinstance(other_began, int):
        # A current span that was there when the framework's observation began gave it its trace.
        same = current.get_span_context().trace_id == other.get_span_context().trace_id
        return other if same else current
    # Both are around this place, so the one that began later is inside the other.
    return current if began >= other_began else other
