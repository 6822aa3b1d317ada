"""Decides what an observation says was used, once all those inside it are decided.

Generations that are directly in each other describe the same call, or one describes the calls of
several inside. Spans of instrumentations further out, such as an agent's, repeat what the calls in
them used. So each is settled from the inside out, and tells the one around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice._ignored_spans import is_ignored
from tracesplice._inside import Told, added, insides, plus
from tracesplice._langfuse_types import has_model, repeats_uncounted
from tracesplice._langfuse_usage import Usage
from tracesplice._observed import Observed
from tracesplice._repeats import what_is_left
from tracesplice._used import NOTHING, UNKNOWN, Used

if TYPE_CHECKING:
    from langfuse.types import OtelSpanData

    from tracesplice._calls import SpanKey
    from tracesplice._inside import Inside
    from tracesplice._langfuse_usage import Zeros

    Both = tuple[Used | None, Used | None]

__all__ = ["pass_on", "settle"]


def settle(span: OtelSpanData, around: SpanKey | None) -> Zeros | None:
    """Settle what a span says was used, and tell the one around it.

    Args:
        span: Those inside it are settled.
        around: What is around it, which may be exported later.

    Returns:
        What makes it say so; None where its figures stay.
    """
    if is_ignored(span):
        return Usage(span.attributes).zeroed()
    at = Observed(span, around)
    is_counted = at.is_generation and _gateway_counts(at)
    left = NOTHING if is_counted else None if at.is_users else what_is_left(at)
    if around is not None:
        _tell(around, at, is_counted, left)
    if left is None:
        return None
    return at.usage.changed(left) if left else at.usage.zeroed()


def pass_on(span: OtelSpanData, inside: Inside, around: SpanKey | None) -> Zeros | None:
    """Settle a span that says nothing of what was used, and tell the one around it.

    Args:
        span: Those inside it are settled.
        inside: What is inside it.
        around: What is around it.

    Returns:
        What makes it say that nothing was used; None where it need not.
    """
    if has_model(span.attributes):
        return settle(span, around)
    if around is not None:
        insides.tell(around, span.span_id, Told(False, *inside.all()))
    return None


def _gateway_counts(at: Observed) -> bool:
    """Return whether all that a generation describes is known to be the gateway's."""
    if at.kept:
        return False
    if at.reported:
        return not _says_more(at)
    return at.linked and at.usage.failed


def _says_more(at: Observed) -> bool:
    """Return whether a generation says that more was used than the gateway counts, or may do so."""
    ours, others = at.same
    if ours is None and others is None:
        return False
    # What its own calls used is not known here; that of generations inside is.
    described = others if at.known.own else ours
    said = at.usage.tokens
    if said is None or (described is not None and not described.is_known):
        return others is not None
    return (described is not None or others is not None) and said > added(described).tokens


def _tell(around: SpanKey, at: Observed, is_counted: bool, left: Used | None) -> None:
    told = Told(at.is_generation, *_used_inside(at, is_counted, left))
    if at.is_generation and (left is not None or at.kept):
        outer = insides.around(around)
        if left is None:
            outer.kept = True
        else:
            outer.linked = True
            outer.reported = outer.reported or at.reported
    if told.reported is not None or told.kept is not None:
        insides.tell(around, at.span.span_id, told)


def _used_inside(at: Observed, is_counted: bool, left: Used | None) -> Both:
    """Return what calls in it used: those that are reported, and those that are not."""
    if is_counted:
        return _of_counted(at)
    if at.is_generation:
        return _of_generation(at, left)
    reported, kept = at.inside.all()
    said = at.usage.used
    if at.makes_reported_calls:
        return plus(reported, said - added(reported, kept) if said.tokens else UNKNOWN), kept
    if at.known.own:
        reported = plus(reported, NOTHING)
    if repeats_uncounted(at.span.attributes):
        return reported, kept
    kept = _larger(kept, said - added(reported)) if left is None else plus(kept, left)
    return reported, kept or None


def _of_counted(at: Observed) -> Both:
    (same, same_kept), (other, other_kept) = at.same, at.other
    own = _larger(same, at.usage.used)
    if at.usage.tokens is None and at.reported:
        own = UNKNOWN
    return plus(other, NOTHING if own is None else own), plus(same_kept, other_kept)


def _of_generation(at: Observed, left: Used | None) -> Both:
    (same, same_kept), (other, other_kept) = at.same, at.other
    if left is None:
        is_unknown = at.usage.tokens is None and not at.usage.failed
        own = UNKNOWN if is_unknown else at.usage.used - added(same)
        same_kept = _larger(same_kept, own)
    else:
        same_kept = plus(same_kept, left)
    if at.known.linked:
        same = plus(same, NOTHING)
    return plus(other, same), plus(same_kept, other_kept) or None


def _larger(first: Used | None, second: Used) -> Used | None:
    return (second or None) if first is None else first.larger(second)
