"""Decides which generations report zero: those all of whose usage is known to be the gateway's.

Generations that are directly in each other describe the same call, or one describes the calls of
several inside. So each is settled from the inside out, and tells the one around it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tracesplice._calls import calls
from tracesplice._ignored_spans import is_ignored
from tracesplice._langfuse_usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langfuse.types import OtelSpanData

    from tracesplice._calls import Known, Place
    from tracesplice._langfuse_usage import Zeros

__all__ = ["inside_out", "settle"]


def inside_out(around: Mapping[Place, Place | None]) -> list[Place]:
    """Put a batch's generations in order, each before the one around it.

    Args:
        around: For each generation the observation around it, whatever that is.
    """
    unsettled = Counter(outer for outer in around.values() if outer in around)
    settled = [place for place in around if place not in unsettled]
    for place in settled:  # grows meanwhile
        outer = around[place]
        if outer is not None and outer in unsettled:
            unsettled[outer] -= 1
            if not unsettled[outer]:
                settled.append(outer)
    return settled


def settle(span: OtelSpanData, around: Place | None) -> Zeros | None:
    """Settle who counts what a generation used, and tell the one around it.

    Args:
        span: The generation; those inside it are settled.
        around: What may be a generation around it, which may be exported later.

    Returns:
        What makes it say that nothing was used; None where its figures stay.
    """
    if is_ignored(span):
        return Usage(span.attributes).zeroed()
    known = calls.find((span.trace_id, span.span_id))
    if around is None and (known is None or known.kept):
        return None
    usage = Usage(span.attributes)
    zero = known is not None and _gateway_counts(known, usage)
    if around is not None:
        _tell(around, span.span_id, known, usage, zero)
    return usage.zeroed() if zero else None


def _gateway_counts(known: Known, usage: Usage) -> bool:
    if known.kept:
        return False
    if known.reported:
        return not _says_more(known, usage.tokens)
    return known.linked and usage.failed


def _says_more(known: Known, said: float | None) -> bool:
    """Return whether a generation counts more than the gateway does, or may do so.

    Args:
        known: What is known of it; the gateway reports a call in it.
        said: The tokens it says itself.
    """
    inside = tuple(known.inside.values())  # another Langfuse client may export meanwhile
    ours = [tokens for reported, tokens in inside if reported]
    others = [tokens for reported, tokens in inside if not reported]
    # What its own calls used is not known here; that of generations inside is.
    described = others if known.own else ours
    total = None if None in described else sum(tokens or 0 for tokens in described)
    if others:
        return said is None or total is None or said > total
    return bool(described) and said is not None and total is not None and said > total


def _tell(around: Place, span_id: str, known: Known | None, usage: Usage, zero: bool) -> None:
    if not zero and (usage.is_free or usage.failed):
        return  # there is nothing to count
    outer = calls.around(around)
    if zero and known is not None:
        outer.linked = True
        if known.reported:
            outer.reported = True
            outer.note_inside(span_id, True, usage.tokens)
    elif known is not None and known.kept:
        outer.kept = True
    else:
        outer.note_inside(span_id, False, usage.tokens)
