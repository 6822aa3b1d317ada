"""Makes OpenTelemetry contexts and spans current, and leaves them where they were entered.

A coroutine that nobody awaits any more is closed wherever it is collected: in the middle of another
request, say. What it entered is not there, and nothing is to change. OpenTelemetry's token would
log an error then, and is lost where a program is interrupted before it is kept. So a context says
itself who entered it, and where to go back to.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from tracesplice._observation import is_stored
from tracesplice._sources import current_observation
from tracesplice_wire import guarded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

__all__ = ["as_current", "enter", "in_context", "is_observed", "leave"]

_ENTRY = "tracesplice.entry"


def enter(context: Mapping[str, Any], outside: Context, owner: object) -> None:
    """Make a context current.

    Args:
        context: What is in it.
        outside: What is current.
        owner: Who leaves it, by identity.
    """
    entry = [(owner, outside)]
    otel_context.attach(Context({**context, _ENTRY: entry}))


def leave(owner: object) -> None:
    """Go back to where ``owner`` entered a context; does nothing where that was elsewhere.

    What was entered since and is not left yet is left, too.
    """
    entry: Any = otel_context.get_current().get(_ENTRY, ())
    while entered := next(iter(entry), None):
        by, outside = entered
        if by is owner:
            otel_context.attach(outside)
            # Contexts that were copied inside may be kept for long: by a timer that sets itself
            # again, each time a level deeper.
            entry.clear()
            return
        entry = outside.get(_ENTRY, ())


def as_current(span: trace.Span) -> AbstractContextManager[Any]:
    """Return a context manager that makes ``span`` current and leaves exceptions to its owner."""
    return trace.use_span(span, record_exception=False, set_status_on_exception=False)


@contextmanager
def in_context(context: Context, *, unless_observed: bool = False) -> Iterator[None]:
    """Make an OpenTelemetry context current.

    Args:
        context: The context.
        unless_observed: Leave things as they are where there is an observation already.
    """
    outside, owner = otel_context.get_current(), object()
    if outside is context or (unless_observed and is_observed()):
        yield
        return
    try:
        # In here: a program may be interrupted between any two lines.
        enter(context, outside, owner)
        yield
    finally:
        leave(owner)


@guarded("the observation that is at work")
def is_observed() -> bool:
    """Return whether there is an observation here that Langfuse stores."""
    return is_stored(current_observation())
