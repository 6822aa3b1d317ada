"""The carrier of a place, which is made once for all that is handed out there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary, ref

from opentelemetry import context as otel_context
from opentelemetry import trace

from tracesplice._observation import SPAN_ENTRY, attributes
from tracesplice._request import capture_link
from tracesplice._said import PROPAGATED
from tracesplice._sources import ambient_sources, observation_sources
from tracesplice_wire import encode_carrier, warn_once

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, SpanContext

__all__ = ["EXPERIMENT", "Captured", "captured_here"]

# Langfuse's own, of an experiment that is run:
# https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/propagation.py
EXPERIMENT = "experiment_"


class Captured(NamedTuple):
    """A carrier, which calls share.

    Attributes:
        carrier: As a dict, not to be changed.
        text: As JSON; None where nothing was captured.
    """

    carrier: dict[str, str]
    text: str | None


class _Made(NamedTuple):
    """What was captured, and what of: nothing here keeps a context or a span alive."""

    context: ref[Context]
    place: SpanContext
    on_span: dict[str, Any]
    captured: Captured


# The last one of each span, for as long as there is that span.
_made: WeakKeyDictionary[Span, _Made] = WeakKeyDictionary()


def captured_here() -> Captured:
    """Return a carrier of the link of this place."""
    context = otel_context.get_current()
    span: Any = context.get(SPAN_ENTRY) or trace.INVALID_SPAN
    kind: Any = type(span)
    # What frameworks say has no mark by which to see that it is the same.
    if observation_sources or ambient_sources or kind.__hash__ is not object.__hash__:
        return _captured(context)
    # A context never changes, and a span in nothing but its attributes; somebody's proxy of one may
    # become another.
    place, on_span = span.get_span_context(), attributes(span)
    made = _made.get(span)
    if (
        made is None
        or made.context() is not context
        or made.place != place
        or made.on_span != on_span
    ):
        made = _made[span] = _Made(ref(context), place, on_span, _captured(context))
    return made.captured


def _captured(context: Context) -> Captured:
    at = len(PROPAGATED)
    experiment = tuple(
        (name[at:], value)
        for name, value in context.items()
        if name.startswith(PROPAGATED + EXPERIMENT) and isinstance(value, str)
    )
    carrier, left_out = encode_carrier(capture_link(), experiment)
    if left_out:
        warn_once(
            "carrier:size",
            "tracesplice: a carrier has room for 4 kB, so %s of it was left out. Shorten what is "
            "ambient, metadata first.",
            ", ".join(dict.fromkeys(left_out)),
        )
    # The seal alone is on each.
    text = json.dumps(carrier, separators=(",", ":")) if len(carrier) > 1 else None
    return Captured(carrier, text)
