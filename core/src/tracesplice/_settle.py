"""Decides which generations say zero: those all of whose usage is known to be the gateway's.

Generations that are directly in each other describe the same call, or one describes the calls of
several inside. So each is settled from the inside out, and tells the one around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice._calls import calls
from tracesplice._ignored_spans import is_ignored
from tracesplice._langfuse_usage import failed, is_free, tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langfuse.types import OtelSpanData

    from tracesplice._calls import Known, Place

__all__ = ["inside_out", "says_zero", "tell_around"]


def inside_out(generations: Mapping[Place, OtelSpanData]) -> list[Place]:
    """Return the places of a batch's generations, each before the one around it."""

    def depth(place: Place) -> int:
        found, seen = 0, {place}
        while (span := generations.get(place)) is not None and span.parent_span_id is not None:
            place = (span.trace_id, span.parent_span_id)
            if place in seen:  # no trace of OpenTelemetry's
                break
            seen.add(place)
            found += 1
        return found

    return sorted(generations, key=depth, reverse=True)


def says_zero(span: OtelSpanData) -> bool:
    """Return whether a generation is to say that nothing was used."""
    if is_ignored(span):
        return True
    known = calls.find((span.trace_id, span.span_id))
    if known is None or known.kept:
        return False
    if known.reported:
        return not _says_more(known, tokens(span.attributes))
    return known.linked and failed(span.attributes)


def tell_around(span: OtelSpanData, zero: bool) -> None:
    """Tell the observation around a generation, which may be exported later, what is in it.

    Args:
        span: The generation.
        zero: Whether it says that nothing was used.
    """
    if span.parent_span_id is None or is_ignored(span):
        return
    known = calls.find((span.trace_id, span.span_id))
    if not zero and (is_free(span.attributes) or failed(span.attributes)):
        return
    around = calls.around((span.trace_id, span.parent_span_id))
    if known is not None and known.kept:
        around.kept = True
    elif known is None or not zero:
        around.note_inside(span.span_id, False, tokens(span.attributes))
    else:
        around.linked = True
        if known.reported:
            around.reported = True
            around.note_inside(span.span_id, True, tokens(span.attributes))


def _says_more(known: Known, said: float | None) -> bool:
    """Return whether a generation counts more than the gateway does, or may do so.

    Args:
        known: What is known of it; the gateway reports a call in it.
        said: The tokens it says itself.
    """
    ours = [usage for reports, usage in known.inside.values() if reports]
    others = [usage for reports, usage in known.inside.values() if not reports]
    # What its own calls used is not known here; that of generations inside is.
    described = others if known.own else ours
    total = None if None in described else sum(usage or 0 for usage in described)
    if others:
        return said is None or total is None or said > total
    return bool(described) and said is not None and total is not None and said > total
