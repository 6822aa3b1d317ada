"""Where in Langfuse the calls of the probe came out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http.client import HTTPException
from typing import TYPE_CHECKING

from tracesplice_cli.doctor._probe import MARK
from tracesplice_view import LangfuseReader, ancestors, is_of_gateway, tells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tracesplice_cli.doctor._probe import Call
    from tracesplice_view import Observation, Trace

__all__ = ["UNREADABLE", "Found", "read_back"]

UNREADABLE = (OSError, ValueError, HTTPException)
"""What is raised while Langfuse cannot be read."""

_INTERVAL_SECONDS, _LONGEST_SECONDS = 1.0, 5.0
# The clocks of the two servers and ours may differ.
_MINUTES_BACK = timedelta(minutes=10)


@dataclass(frozen=True)
class Found:
    """The gateway's generation of a call, and the parent of the outermost one around it."""

    generation: Observation
    parent_id: str | None


def read_back(
    reader: LangfuseReader,
    calls: Iterable[Call],
    seconds: float,
    progress: Callable[[int, float], None],
) -> dict[str, Found]:
    """Wait until Langfuse shows each call, or until the time is over.

    Args:
        reader: Of the application's project.
        calls: What to look for.
        seconds: How long to wait.
        progress: Told after each look how many calls are missing, and how many seconds are left.

    Returns:
        By way, those that were found.

    Raises:
        One of UNREADABLE: Nothing was found, and at the end Langfuse could not be read.
    """
    deadline, interval = time.monotonic() + seconds, _INTERVAL_SECONDS
    missing = {call.way: call for call in calls}
    found: dict[str, Found] = {}
    while missing:
        failed: Exception | None = None
        try:
            found |= _look(reader, missing)
        except UNREADABLE as error:
            failed = error  # the server is busy, and a proxy says so in its own words
        missing = {way: call for way, call in missing.items() if way not in found}
        left = deadline - time.monotonic()
        progress(len(missing), left)
        if left <= 0:
            if failed is not None and not found:
                raise failed
            break
        time.sleep(min(interval, left) if missing else 0)
        interval = min(1.5 * interval, _LONGEST_SECONDS)
    return found


def _look(reader: LangfuseReader, calls: Mapping[str, Call]) -> dict[str, Found]:
    looked = {way: _joined(reader, call) for way, call in calls.items()}
    if not all(looked.values()):
        others = _others(reader)
        looked = {way: looked[way] or _elsewhere(others, call) for way, call in calls.items()}
    return {way: found for way, found in looked.items() if found is not None}


def _joined(reader: LangfuseReader, call: Call) -> Found | None:
    trace = reader.trace(call.link.trace_id or "")
    generations = (each for each in trace.observations if _tells(each)) if trace else ()
    return next((_found(trace, each) for each in generations if trace), None)


def _others(reader: LangfuseReader) -> list[Trace]:
    ids = reader.trace_ids(MARK, datetime.now(timezone.utc) - _MINUTES_BACK)
    return [trace for trace in map(reader.trace, ids) if trace is not None]


def _elsewhere(others: Iterable[Trace], call: Call) -> Found | None:
    for trace in others:
        for each in trace.observations:
            if call.link.session_id in (each.session_id, trace.session_id) and _tells(each):
                return _found(trace, each)
    return None


def _tells(observation: Observation) -> bool:
    return is_of_gateway(observation) and tells(observation)


def _found(trace: Trace, generation: Observation) -> Found:
    by_id = {each.id: each for each in trace.observations}
    *_, top = generation, *ancestors(by_id, generation)
    return Found(generation, top.parent_id)
