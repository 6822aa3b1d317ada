"""The parts of `make demo` that need no server: verdict and picture."""

from __future__ import annotations

import dataclasses
import io
import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from rig.demo._checks import has_adapter
from rig.demo._settings import Server
from rig.demo._tree import draw
from rig.demo._verdict import Verdict, judge
from tracesplice_testing.gateway import GatewayMode
from tracesplice_testing.model import ModelServer
from tracesplice_testing.recorder import Observation, Trace
from tracesplice_view import Run, picture

if TYPE_CHECKING:
    from rich.console import RenderableType

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


def split(**gateway: Any) -> Run:
    fields = {"prompt_name": None, "prompt_version": None, **gateway}
    app = Trace("t1", observations=(span("root", "t1"), observation("app", "t1", "root")))
    other = Trace("t2", observations=(observation("gateway", "t2", **fields),))
    return Run((app, other), frozenset({"root", "app"}))


def unified(parent: str = "app", **gateway: Any) -> Run:
    ours = (span("root", "t3"), observation("app", "t3", "root"))
    inner = span("inner", "t3", "theirs")
    theirs = (
        span("theirs", "t3", parent),
        inner,
        observation("gateway", "t3", "theirs", **gateway),
    )
    return Run((Trace("t3", observations=(*ours, *theirs)),), frozenset({"root", "app"}))


def claiming(tokens: int, cost: float) -> Run:
    """What is unified, with other figures on the application's side."""
    run = unified()
    [trace] = run.traces
    root, app, *others = trace.observations
    app = dataclasses.replace(app, usage={"total": tokens}, cost=cost)
    changed = dataclasses.replace(trace, observations=(root, app, *others))
    return Run((changed,), run.app_ids)


UNLINKED: dict[str, Any] = {"prompt_name": None, "prompt_version": None}


def judged(run: Run, mode: GatewayMode | None = GatewayMode.LANGFUSE) -> Verdict:
    return judge(run, mode, adapter=True)


def both(console: Console, before: Run, after: Run) -> RenderableType:
    return draw(console, MADE, (before, judged(before)), (after, judged(after)))


def text(before: Run, after: Run, width: int = 110) -> str:
    console = Console(width=width, file=io.StringIO(), _environ={})
    with console.capture() as captured:
        console.print(both(console, before, after))
    return captured.get()


def svg(before: Run, after: Run) -> str:
    first, second = before.same_each_time("0"), after.same_each_time("1")
    return picture("a & b", lambda console: both(console, first, second))


def test_the_adapter_is_known_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ModelServer() as model:
        gateway = Server(model.url, secret_key="k")
        assert not has_adapter(gateway, "chat")
        model.answer_headers["X-Tracesplice-Reports"] = "false"
        assert has_adapter(gateway, "chat")
        assert json.loads(model.calls[0].body)["no-log"] is True
    assert not has_adapter(gateway, "chat")


@pytest.mark.parametrize("mode", [None, *GatewayMode])
def test_two_traces_are_not_unified(mode: GatewayMode | None) -> None:
    verdict = judged(split(), mode)
    assert not verdict.unified
    assert (verdict.traces.text, verdict.traces.state) == ("2 traces", "bad")
    assert (verdict.parent.state, verdict.prompt.state) == ("bad", "bad")


@pytest.mark.parametrize("mode", [None, *GatewayMode])
def test_one_trace_with_prompts_on_both_sides_is_unified(mode: GatewayMode | None) -> None:
    verdict = judged(unified(), mode)
    assert verdict.unified
    assert verdict.traces.text == "1 trace"
    assert {verdict.traces.state, verdict.parent.state, verdict.prompt.state} == {"good"}


def test_sums_are_langfuses() -> None:
    verdict = judged(unified())
    assert (verdict.tokens, verdict.cost, verdict.times_counted) == (20, 1.0, 2)
    once = judged(claiming(0, 0.0))
    assert (once.tokens, once.cost, once.times_counted) == (10, 0.5, 1)


def test_how_often_a_call_counts_is_by_the_gateways_figure() -> None:
    outer = observation("outer", "t1", usage={"total": 400}, cost=0.0)
    inner = observation("inner", "t1", "outer", usage={"total": 26}, cost=0.0)
    gateway = observation("gateway", "t2", usage={"total": 25})
    run = Run(
        (Trace("t1", observations=(outer, inner)), Trace("t2", observations=(gateway,))),
        frozenset({"outer", "inner"}),
    )
    verdict = judged(run)
    assert verdict.tokens == 451
    assert verdict.times_counted == pytest.approx(18.04)
    assert "451 tokens · $0.500000  counted 18 times" in text(run, unified())


def test_a_little_too_much_is_not_once() -> None:
    assert "12 tokens · $1.000000  counted 1.2 times" in text(split(), claiming(2, 0.5))


def test_without_the_gateways_figure_nothing_is_said_of_how_often() -> None:
    run = unified(usage={"total": 0}, cost=0.0)
    assert judged(run).times_counted == 0
    assert "counted" not in text(run, run)


def test_a_generation_beside_the_apps_is_not_unified() -> None:
    verdict = judged(unified(parent="root"))
    assert verdict.traces.state == "good"
    assert verdict.parent.state == "bad"
    assert not verdict.unified


@pytest.mark.parametrize(
    ("mode", "state"),
    [
        (None, "bad"),
        (GatewayMode.LANGFUSE, "bad"),
        (GatewayMode.LANGFUSE_OTEL, "open"),
        (GatewayMode.LANGFUSE_OTEL_V2, "open"),
    ],
)
def test_a_prompt_missing_in_the_gateway(mode: GatewayMode | None, state: str) -> None:
    verdict = judge(unified(**UNLINKED), mode, adapter=False)
    assert verdict.prompt.state == state
    assert verdict.unified is (state == "open")
    if mode is not None and state == "open":
        assert f"not available in mode {mode.value}" in verdict.prompt.text


@pytest.mark.parametrize("mode", GatewayMode)
def test_with_the_adapter_a_prompt_missing_in_the_gateway_is_a_fault(mode: GatewayMode) -> None:
    verdict = judged(unified(**UNLINKED), mode)
    assert (verdict.prompt.state, verdict.unified) == ("bad", False)
    assert "not available" not in verdict.prompt.text


def test_another_version_in_the_gateway_is_not_unified() -> None:
    assert not judged(unified(prompt_version=4), GatewayMode.LANGFUSE_OTEL).unified


def test_nothing_of_the_gateway_is_not_unified() -> None:
    run = split()
    assert not judged(Run(run.traces[:1], run.app_ids)).unified


def test_the_tree_shows_both_sides() -> None:
    shown = text(split(), claiming(0, 0.0))
    assert shown.count("prompt greet v3") == 3
    assert shown.count("no prompt") == 1
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
    def renamed(run: Run) -> Run:
        traces = tuple(
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
        )
        return Run(traces, frozenset(f"y{id_}" for id_ in run.app_ids))

    assert svg(split(), unified()) == svg(renamed(split()), renamed(unified()))


def test_the_picture_is_small_and_loads_nothing() -> None:
    drawn = svg(split(), unified())
    assert len(drawn.encode()) < 100_000
    assert drawn.replace("http://www.w3.org/2000/svg", "").count("http") == 0
    assert "@font-face" not in drawn
    assert "url(#" in drawn
    assert ">&#160;" not in drawn
    assert "a &amp; b" in drawn
