"""What a span of an instrumentation says beyond the calls inside it, or beside it."""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING

from tracesplice._calls import calls
from tracesplice._inside import Told, added, insides
from tracesplice._langfuse_types import is_record
from tracesplice._observed import NO_CALL, NOTHING_INSIDE
from tracesplice._used import NOTHING, Used

if TYPE_CHECKING:
    from tracesplice._observed import Observed

__all__ = ["what_is_left"]


def what_is_left(at: Observed) -> Used | None:
    """Work out what a span says that no call inside it or beside it has used.

    An instrumentation's spans around a call, such as an agent's, repeat what all calls in them
    used. What one says beyond that was used by calls that have no span.

    Args:
        at: The span; those inside it are settled.

    Returns:
        What is left of it, which may be nothing; None where all of it stays.
    """
    if at.makes_reported_calls:
        return NOTHING if at.counts else None
    said, (reported, kept) = at.usage.used, at.inside.all()
    if at.is_generation:
        if reported is not None and said.tokens and said.is_as_much_as(added(reported, kept)):
            return NOTHING
        reported, kept = at.same  # others may be calls of a tool of its own
    if said.tokens and _is_note(at):
        return NOTHING
    if reported is None and not at.known.linked:
        return _without_gaps(at, said - added(kept))
    if not said.tokens:
        return _without_tokens(at, kept)
    left = said - added(reported, kept)
    if _without_gaps(at, left) is not None:
        return NOTHING
    return left if left.tokens < said.tokens else None


def _without_tokens(at: Observed, kept: Used | None) -> Used | None:
    if at.known.kept and kept is None:
        return None  # nobody else says what the client's own call used
    # Of a model without usage, Langfuse would count what those inside say.
    is_repeated = kept is None or not at.usage.used.cost
    return NOTHING if is_repeated and at.counts else None


def _is_note(at: Observed) -> bool:
    """Return whether it repeats what a call beside it has used, and take note of that.

    Such are the ``record_usage`` spans of AG2
    (https://github.com/ag2ai/ag2/blob/main/ag2/middleware/builtin/telemetry.py).
    """
    is_leaf = at.inside is NOTHING_INSIDE and at.known is NO_CALL
    if at.around is None or not is_leaf or not is_record(at.span.attributes):
        return False
    known, beside = calls.find(at.around), insides.find(at.around)
    if known is not None and known.own and known.reported and not known.kept:
        return True
    reported, kept = (None, None) if beside is None else beside.all()
    if beside is None or reported is None:
        return False
    others = beside.noted.copy()  # another Langfuse client may export meanwhile
    others.pop(at.span.span_id, None)
    if sum(others.values(), at.usage.used) - added(reported, kept):
        return False
    beside.noted[at.span.span_id] = at.usage.used
    return True


def _without_gaps(at: Observed, left: Used) -> Used | None:
    """Return nothing if ``left`` is just what is inside spans that were not exported.

    Langfuse's exporter leaves spans out, of a web server say, that are between an agent and a call:
    nothing says then which of the agents they are in.
    """
    if at.is_generation or not left.tokens or not left.is_known:
        return None
    gaps = tuple(insides.gaps(*at.place, at.span.parent_span_id))
    sums = {key: inside.all() for key, inside in gaps}
    is_reported = at.inside.all()[0] is not None
    for group in chain.from_iterable(combinations(sums, size + 1) for size in range(len(sums))):
        found = [added(*sums[key]) for key in group]
        if sum(used.tokens for used in found) != left.tokens:
            continue  # most often
        has_calls = is_reported or any(sums[key][0] is not None for key in group)
        if has_calls and left.is_as_much_as(added(*found)):
            at.adopt({key: Told(False, *sums[key]) for key in group})
            return NOTHING
    return None
