"""Finds the traces that belong together: those with the two sides of the same calls."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from tracesplice_view._judged import Judged, is_of_gateway
from tracesplice_view._pairing import CLOCKS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracesplice_view._call import Call
    from tracesplice_view._model import Observation, Trace
    from tracesplice_view._reader import LangfuseReader

__all__ = ["grouped", "newest", "whole"]

_PAGES = 20  # of observations that are looked through
_EARLIER = timedelta(minutes=5)  # a client may have tried for so long before the gateway answered


def whole(reader: LangfuseReader, trace: Trace) -> list[Trace]:
    """A trace and those with the other side of its calls, one of the application's first.

    It looks through the project's generations of that time, the newest two thousand of them.
    """
    found = [trace, *_others(reader, trace)]
    if _is_of_application(trace):
        return found
    # The application's trace may have other calls, whose other side is in further traces.
    own = next(filter(_is_of_application, found), None)
    return found if own is None else whole(reader, own)


def newest(
    reader: LangfuseReader, count: int, *, skip: Callable[[Trace], bool] | None = None
) -> list[list[Trace]]:
    """The newest traces of the project, those of the same calls together, newest first.

    Args:
        reader: Of the project.
        count: How many.
        skip: Says which traces are left out, as if they were not there; none without it.
    """
    traces: list[Trace] = []
    for met in islice(reader.newest(), _PAGES):
        traces = [each for each in met if skip is None or not skip(each)]
        if len(traces) > count and all(map(_is_complete, traces[:count])):
            break
    wanted = {each.id for each in traces[:count]}
    read = [each if _is_complete(each) else reader.trace(each.id) or each for each in traces]
    groups = [group for group in grouped(read) if wanted & {each.id for each in group}]
    if reader.says_who:
        return groups
    again = [[reader.trace(each.id) or each for each in group] for group in groups]
    return [group for group in again if skip is None or not any(map(skip, group))]


def grouped(traces: Sequence[Trace]) -> list[list[Trace]]:
    """Traces that hold two sides of the same call together, in the order of the first of each."""
    group = {each.id: [each] for each in traces}
    for call in Judged(traces).calls:
        for id_ in _sides(call):
            first = group[_sides(call)[0]]
            if group[id_] is not first:
                first += group[id_]
                for each in group[id_]:
                    group[each.id] = first
    distinct = {id(found): found for found in group.values()}
    return [sorted(found, key=_is_of_application, reverse=True) for found in distinct.values()]


def _sides(call: Call) -> list[str]:
    own = [] if call.own is None else [call.own]
    return list(dict.fromkeys(each.trace_id for each in (*own, *call.gateway)))


def _others(reader: LangfuseReader, trace: Trace) -> list[Trace]:
    judged = Judged([trace])
    alone = [side for call in judged.calls if (side := _only_side(call))]
    # An application that traces no calls has spans alone.
    spans = () if judged.calls else trace.observations
    observations = [*alone, *spans]
    if not observations:
        return []
    mine = _is_of_application(trace)
    seen = _generations(reader, observations, timedelta(0) if mine else _EARLIER)
    # Calls of others among them: they may have a better claim to what looks like this one's.
    near = [other for other in seen if other.id != trace.id]
    if spans:
        claimed = {id_ for call in Judged(near).calls if call.own for id_ in _sides(call)}
        near = [other for other in near if other.id not in claimed]
    ids = {id_ for call in Judged([trace, *near]).calls for id_ in _of(call, trace)}
    return [other for other in map(reader.trace, sorted(ids)) if other is not None]


def _only_side(call: Call) -> Observation | None:
    if call.own is None:
        return call.gateway[0]
    return None if call.gateway else call.own


def _of(call: Call, trace: Trace) -> list[str]:
    sides = _sides(call)
    return [each for each in sides if each != trace.id] if trace.id in sides else []


def _generations(
    reader: LangfuseReader, around: Sequence[Observation], earlier: timedelta
) -> list[Trace]:
    since = min(each.start for each in around) - CLOCKS - earlier
    until = max(each.end or each.start for each in around) + CLOCKS
    found: list[Trace] = []
    for kind in sorted({"GENERATION", *({each.type for each in around} & {"EMBEDDING"})}):
        pages = [*islice(reader.newest(since=since, until=until, kind=kind), _PAGES)]
        found += pages[-1] if pages else []
    return found


def _is_of_application(trace: Trace) -> bool:
    return any(not is_of_gateway(each) for each in trace.observations)


def _is_complete(trace: Trace) -> bool:
    """Whether the observation that started first is there: they are read newest first."""
    ids = {each.id for each in trace.observations}
    return all(each.parent_id is None or each.parent_id in ids for each in trace.observations)
