"""Work that is spread over threads, processes and an experiment is in its trace, counted once."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.checks import ENVIRONMENT
from rig.patience import PATIENCE
from tracesplice_testing.gateway import GatewayMode
from tracesplice_testing.gateway._process import clean_environment
from tracesplice_view import Expected, Seen, judge

if TYPE_CHECKING:
    from tracesplice_testing.gateway import Gateway
    from tracesplice_testing.recorder import Observation, Recorder, Trace

# Each way in one mode at least; processes that start anew take seconds. To fork comes first, as a
# child shares the connections that its parent has open.
KINDS = {
    GatewayMode.LANGFUSE: ("fork", "executor", "spawn", "experiment"),
    GatewayMode.LANGFUSE_OTEL: ("loop", "forkserver", "pool", "asynchronous experiment"),
    GatewayMode.LANGFUSE_OTEL_V2: ("threads", "carrier", "experiment in threads"),
}
ROOTS = ("request", "experiment-item-run")
OWN = (*ROOTS, "experiment-item-task", "task")
EXPERIMENTS = "sdk-experiment"  # Langfuse's environment for them
COUNT = 5  # calls of each, as in spread.py
TESTS = Path(__file__).parents[1]


def complete(recorder: Recorder, calls: int) -> list[Trace] | None:
    found = [each for each in recorder.observations() if each.name not in OWN]
    return recorder.traces() if len(found) >= calls else None


@pytest.fixture(scope="module", autouse=True)
def _prompt(recorder: Recorder) -> None:
    recorder.add_prompt("spread", "Say it.", labels=["production"])


@pytest.fixture(params=GatewayMode, ids=lambda mode: mode.value, scope="module")
def traces(
    request: pytest.FixtureRequest, gateways: dict[GatewayMode, Gateway], recorder: Recorder
) -> tuple[GatewayMode, list[Trace]]:
    """The traces of all that is run in a mode."""
    gateway = gateways[request.param]
    kinds = KINDS[request.param]
    recorder.clear()
    result = subprocess.run(
        [sys.executable, "-m", "conformance.spread", *kinds],
        cwd=TESTS,
        env=clean_environment(
            recorder.env(),
            {
                "LITELLM_PROXY_API_BASE": gateway.url,
                "LITELLM_PROXY_API_KEY": gateway.key,
                "LANGFUSE_TRACING_ENVIRONMENT": ENVIRONMENT,
                "TRACESPLICE_STRICT": "1",
            },
        ),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert result.returncode == 0, result.stderr
    assert "tracesplice" not in result.stderr, result.stderr
    found = recorder.wait_for(partial(complete, calls=COUNT * len(kinds)))
    return request.param, found


def wrong(trace: Trace, calls: int, environment: str) -> dict[str, str]:
    """What does not hold in a trace with as many calls."""
    own = [each for each in trace.observations if each.name in OWN]
    gateway = [each for each in trace.observations if each.name not in OWN]
    assert len(gateway) == calls, trace.tree()
    who = ("ann", "monday", ("a",))
    expected = Expected(calls, 1, [("spread", 1)], who, environment)
    by_id: dict[str, Observation] = {each.id: each for each in trace.observations}
    [root] = [each.id for each in own if each.name in ROOTS]
    seen = Seen(expected, by_id, {each.id for each in own}, gateway, {trace.id: trace}, root)
    found = {check: text for check, text in judge(seen).items() if text is not None}
    for each in gateway:
        task = by_id[str(each.parent_id)]
        if each.input:  # LITELLM_OTEL_V2 does not report it
            assert str(task.input) in str(each.input), trace.tree()
    return found


def test_it_is_in_the_trace_that_it_was_handed_out_in(
    traces: tuple[GatewayMode, list[Trace]],
) -> None:
    mode, found = traces
    by_name = {trace.name: trace for trace in found}
    for kind in KINDS[mode]:
        if "experiment" not in kind:
            assert wrong(by_name[kind], COUNT, ENVIRONMENT) == {}, by_name[kind].tree()


def test_each_item_of_an_experiment_has_its_calls(
    traces: tuple[GatewayMode, list[Trace]],
) -> None:
    _, found = traces
    items = [trace for trace in found if any(each.name == ROOTS[1] for each in trace.observations)]
    assert len(items) == COUNT
    for trace in items:
        assert wrong(trace, 1, EXPERIMENTS) == {}, trace.tree()
