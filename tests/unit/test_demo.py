"""The parts of `make demo` that need no server: the panels and the picture."""

from __future__ import annotations

import dataclasses
import io
import signal
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rig.demo.__main__ import _same_each_time
from rig.demo._tree import draw
from tracesplice_view import Judged, Observation, Trace, picture

MADE = "client = OpenAI(base_url=GATEWAY)"


def observation(id_: str, trace: str, parent: str | None = None, **fields: Any) -> Observation:
    now = datetime.now(timezone.utc)
    made = Observation(
        id=id_,
        trace_id=trace,
        parent_id=parent,
        name=f"name-{id_}",
        type="GENERATION",
        start=now,
        end=now,
        input="hi",
        usage={"total": 10},
        cost=0.5,
        prompt_name="greet",
        prompt_version=3,
    )
    return dataclasses.replace(made, **fields)


def span(id_: str, trace: str, parent: str | None = None) -> Observation:
    return observation(
        id_, trace, parent, type="SPAN", input=None, usage={}, cost=0.0, prompt_name=None
    )


def split(**gateway: Any) -> Judged:
    fields = {"prompt_name": None, "prompt_version": None, "scope": "litellm", **gateway}
    app = Trace("t1", observations=(span("root", "t1"), observation("app", "t1", "root")))
    other = Trace("t2", observations=(observation("gateway", "t2", **fields),))
    return Judged([app, other])


def unified(parent: str = "app", **gateway: Any) -> Judged:
    ours = (span("root", "t3"), observation("app", "t3", "root"))
    spans = (span("theirs", "t3", parent), span("inner", "t3", "theirs"))
    theirs = [dataclasses.replace(each, scope="litellm") for each in spans]
    theirs.append(observation("gateway", "t3", "theirs", **{"scope": "litellm", **gateway}))
    return Judged([Trace("t3", observations=(*ours, *theirs))])


def claiming(tokens: int, cost: float) -> Judged:
    """What is unified, with other figures on the application's side."""
    [trace] = unified().traces
    root, app, *others = trace.observations
    app = dataclasses.replace(app, usage={"total": tokens}, cost=cost)
    changed = dataclasses.replace(trace, observations=(root, app, *others))
    return Judged([changed])


def text(before: Judged, after: Judged, width: int = 110) -> str:
    console = Console(width=width, file=io.StringIO(), _environ={})
    with console.capture() as captured:
        console.print(draw(console, MADE, before, after))
    return captured.get()


def svg(before: Judged, after: Judged) -> str:
    first, second = _same_each_time(before, "0"), _same_each_time(after, "1")
    return picture("a & b", lambda console: draw(console, MADE, first, second))


def test_sums_are_langfuses() -> None:
    assert unified().figures == (20, 1.0)
    assert unified().times_counted == 2
    once = claiming(0, 0.0)
    assert (once.figures, once.times_counted) == ((10, 0.5), 1)


def test_how_often_a_call_counts_is_by_the_gateways_figure() -> None:
    outer = observation("outer", "t1", usage={"total": 400}, cost=0.0)
    inner = observation("inner", "t1", "outer", usage={"total": 26}, cost=0.0)
    theirs = observation("gateway", "t2", usage={"total": 25}, scope="litellm")
    run = Judged([Trace("t1", observations=(outer, inner)), Trace("t2", observations=(theirs,))])
    assert run.figures[0] == 451
    assert run.times_counted == pytest.approx(18.04)
    assert "451 tokens · $0.500000  counted 18 times" in text(run, unified())


def test_a_little_too_much_is_not_once() -> None:
    assert "12 tokens · $1.000000  counted 1.2 times" in text(split(), claiming(2, 0.5))


def test_without_the_gateways_figure_nothing_is_said_of_how_often() -> None:
    run = unified(usage={"total": 0}, cost=0.0)
    assert run.times_counted == 0
    assert "tokens · $0.500000  counted" not in text(run, run)


def test_the_tree_shows_both_sides() -> None:
    shown = text(split(), claiming(0, 0.0))
    assert shown.count("prompt greet v3") == 3
    assert shown.count("no prompt") == 1
    assert "2 traces, not unified" in shown
    assert "✔ right parent" in shown
    assert "✘ right parent" in shown
    assert "client = tracesplice.splice(client)" in shown
    assert shown.count("20 tokens · $1.000000  counted 2 times") == 1
    assert shown.count("10 tokens · $0.500000  counted once") == 1
    assert "mask_otel_spans=tracesplice.count_usage_once()" in shown
    assert "name-inner" not in shown
    assert "and 1 more span of the gateway" in shown
    assert len({len(line) for line in shown.splitlines()}) == 1


def test_a_narrow_terminal_gets_one_panel_above_the_other() -> None:
    lines = text(split(), unified(), width=60).splitlines()
    assert all(len(line) <= 60 for line in lines)
    assert sum("before" in line for line in lines) == sum("after" in line for line in lines) == 1


def test_the_picture_is_the_same_whatever_ids_and_times() -> None:
    def renamed(run: Judged) -> Judged:
        traces = [
            dataclasses.replace(
                trace,
                id=f"x{trace.id}",
                observations=tuple(
                    dataclasses.replace(
                        o,
                        id=f"y{o.id}",
                        parent_id=o.parent_id and f"y{o.parent_id}",
                        trace_id=f"x{trace.id}",
                        start=datetime(2001, 1, 1, tzinfo=timezone.utc),
                    )
                    for o in trace.observations
                ),
            )
            for trace in run.traces
        ]
        return Judged(traces)

    assert svg(split(), unified()) == svg(renamed(split()), renamed(unified()))


def test_the_picture_is_small_and_loads_nothing() -> None:
    drawn = svg(split(), unified())
    assert len(drawn.encode()) < 100_000
    assert drawn.replace("http://www.w3.org/2000/svg", "").count("http") == 0
    assert "@font-face" not in drawn
    assert "url(#" in drawn
    assert ">&#160;" not in drawn
    assert "a &amp; b" in drawn


TESTS = Path(__file__).parents[1]
ENDED = """
import time
from rig.demo._progress import end_as_by_ctrl_c

end_as_by_ctrl_c()
try:
    print("ready", flush=True)
    time.sleep(600)
finally:
    print("stopped", flush=True)
"""


def test_it_stops_what_it_started_where_it_is_ended_from_outside() -> None:
    command = [sys.executable, "-c", ENDED]
    out, err = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, cwd=TESTS, stdout=out, stderr=err) as demo:
        assert demo.stdout
        assert demo.stdout.readline() == b"ready\n"
        demo.send_signal(signal.SIGTERM)
        assert demo.stdout.read() == b"stopped\n"
