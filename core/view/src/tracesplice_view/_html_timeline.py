"""When each observation began and how long it took, as bars on one scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice_view._html_text import shown
from tracesplice_view._tree import duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tracesplice_view._model import Observation
    from tracesplice_view._run import Run

__all__ = ["timeline"]

_LEAST = 0.4  # percent: the width of what took no time


def timeline(run: Run) -> Iterator[str]:
    """The lines of the timeline of all traces, in the order of their trees."""
    observations = [placed.observation for trace in run.traces for placed in trace.walked]
    if not observations:
        return
    begin = min(each.start for each in observations)
    whole = max((_end(each) - begin).total_seconds() for each in observations)
    yield '<details class="timeline" open="">'
    yield f"<summary><h3>Timeline, {_time(whole)}</h3></summary>"
    yield "<ol>"
    for each in observations:
        side = "app" if run.of_app(each) else "gateway"
        yield f"<li>{_bar(each, begin, whole, side)}</li>"
    yield "</ol></details>"


def _bar(observation: Observation, begin: datetime, whole: float, side: str) -> str:
    after = (observation.start - begin).total_seconds()
    took = (_end(observation) - observation.start).total_seconds()
    left = min(100 * after / whole, 100 - _LEAST) if whole else 0
    width = max(100 * took / whole, _LEAST) if whole else 100
    told = ", ".join([f"after {_time(after)}", *duration(observation)])
    return (
        f'<span class="name">{shown(observation.name or "(no name)", 80)}</span>'
        f'<span class="track"><span class="bar {side}" '
        f'style="left:{left:.2f}%;width:{width:.2f}%"></span></span>'
        f'<span class="time">{told}</span>'
    )


def _end(observation: Observation) -> datetime:
    # Broken clocks: what ended before it began took no time.
    return max(observation.end or observation.start, observation.start)


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
