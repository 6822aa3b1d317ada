"""What a call belongs to where it is made: OpenTelemetry's context, and what frameworks add.

A framework has a context of its own. An adapter tells of it by two functions, which are called for
every call that is linked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from tracesplice._ambient import attributes
from tracesplice_wire import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.trace import Span

    Find = Callable[[], Span | None]
    Read = Callable[[], Mapping[str, Any] | None]

__all__ = [
    "SDK_SCOPE",
    "ambient_source",
    "ambient_values",
    "current_observation",
    "is_stored",
    "observation_source",
]

SDK_SCOPE = "langfuse-sdk"
"""The instrumentation scope of the observations that Langfuse's SDK makes."""

_finds: dict[Find, Find] = {}
_reads: dict[Read, Read] = {}


def observation_source(find: Find) -> None:
    """Register a function that knows of observations that frameworks do not make current.

    Args:
        find: Returns the span of the observation at work where it is called, or None; must be
            fast. To register it again changes nothing.
    """
    _finds.setdefault(find, guarded("the observation a call belongs to")(find))


def ambient_source(read: Read) -> None:
    """Register a function that knows of values that are in force in a framework's context alone.

    Args:
        read: Returns them by the names that ``langfuse.propagate_attributes`` has for them, or
            None; must be fast. What is in force in OpenTelemetry's context goes before them.
    """
    _reads.setdefault(read, guarded("the user, session, tags and prompt of a call")(read))


def ambient_values() -> dict[str, Any]:
    """Return the values that are in force in the contexts of frameworks."""
    found: dict[str, Any] = {}
    for read in _reads.values():
        found.update(read() or {})
    return found


def current_observation() -> Span:
    """Return the innermost observation at this place that Langfuse stores.

    It is OpenTelemetry's current span or that of a registered source.

    Returns:
        The current span, which may be invalid, where there is no observation.
    """
    found = trace.get_current_span()
    for find in _finds.values():
        other = find()
        if other is not None:
            found = _inner(found, other)
    return found


def is_stored(span: Span) -> bool:
    """Return whether Langfuse stores ``span``, as it does by default.

    Of the spans that a ``should_export_span`` of the user's adds, those at the root of a trace are
    known. Not those of, say, a web server or a database driver
    (https://langfuse.com/docs/observability/sdk/advanced-features#filtering-by-instrumentation-scope).
    A span of which only the ids are known, a remote one or one that is not sampled, is taken for an
    observation.
    """
    scope = getattr(span, "instrumentation_scope", None)
    if scope is None:
        return span.get_span_context().is_valid
    return scope.name == SDK_SCOPE or _is_exported(span) or _is_root(span)


def _is_root(span: Span) -> bool:
    # Langfuse marks the outermost span that it is going to store.
    return bool(attributes(span).get("langfuse.internal.is_app_root"))


def _is_exported(span: Any) -> bool:
    from langfuse.span_filter import is_default_export_span

    return bool(is_default_export_span(span))


def _inner(current: Span, other: Span) -> Span:
    if not current.get_span_context().is_valid:
        return other
    stored = is_stored(current)
    if stored != is_stored(other):
        return current if stored else other
    began, other_began = _began(current), _began(other)
    if began is None or other_began is None:
        # A current span that was there when the framework's observation began gave it its trace.
        return other if _trace_id(current) == _trace_id(other) else current
    # Both are around this place, so the one that began later is inside the other.
    return current if began >= other_began else other


def _began(span: Span) -> int | None:
    began: int | None = getattr(span, "start_time", None)
    return began


def _trace_id(span: Span) -> int:
    return span.get_span_context().trace_id
