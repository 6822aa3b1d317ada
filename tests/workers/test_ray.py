"""Ray's tasks and actors go on in the trace they were called in; what workers observe arrives."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from rig.patience import PATIENCE
from tracesplice.testing import assert_unified
from workers.arrived import answered, check, check_batch, of_gateway, reported, seen
from workers.ray_cluster import WORKERS, cluster
from workers.ray_ways import BATCH, FEW, ITEMS, RAY_CALLS, TRACE
from workers.servers import TESTS, kill_one_of, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tracesplice_testing.recorder import Recorder, Trace

pytestmark = pytest.mark.skipif(
    find_spec("ray") is None, reason="needs Ray: pip install 'tracesplice[ray]'"
)
KILLS = 2


@pytest.fixture(scope="module")
def env(own_env: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment of drivers."""
    with cluster(own_env) as env:
        yield env


Drive = Callable[[str, str], "subprocess.Popen[str]"]


@pytest.fixture
def drive(env: Mapping[str, str]) -> Iterator[Drive]:
    """What starts a driver for a user, which prints its traces' ids."""
    started = []

    def drive(user: str, what: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "workers.ray_driver", user, what]
        started.append(
            subprocess.Popen(command, cwd=TESTS, env=env, stdout=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield drive
    for each in started:
        with each:  # closes its output, and waits
            each.kill()


def trace_ids(process: subprocess.Popen[str], seconds: float = PATIENCE) -> list[str]:
    """Wait for its end."""
    output, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0
    lines = [line.split() for line in output.splitlines()]
    return [words[1] for words in lines if words[:1] == [TRACE]]


def test_tasks_and_actors_are_in_the_trace_of_what_called_them(
    drive: Drive, recorder: Recorder
) -> None:
    recorder.clear()
    made = {"ann": {**RAY_CALLS}, "bob": {way: RAY_CALLS[way] for way in FEW}}
    drivers = {"ann": drive("ann", "ways"), "bob": drive("bob", "few")}
    ids = {user: trace_ids(process) for user, process in drivers.items()}
    calls = sum(sum(each.values()) for each in made.values())
    until(partial(reported, recorder, calls), "the calls", shown=partial(seen, recorder))
    traces = {trace.id: trace for trace in recorder.traces()}
    assert {*traces} == {id_ for [id_] in ids.values()}
    for user, [id_] in ids.items():
        assert_unified(traces[id_])
        check(traces[id_], user, handed_on="from inside a task" in made[user])
        assert calls_of(traces[id_]) == {f"{user} {way}": n for way, n in made[user].items()}


def calls_of(trace: Trace) -> dict[str, int]:
    """How often each question was asked."""
    asked = [str(each.input) for each in trace.observations if each.name == "task"]
    return {question: asked.count(question) for question in asked}


@pytest.mark.parametrize("kind", BATCH)
def test_a_batch_over_worker_processes_two_of_which_are_killed(
    kind: str, drive: Drive, recorder: Recorder
) -> None:
    recorder.clear()
    count = BATCH[kind]
    driver = drive("ann", kind)
    for done in (count // 4, count // 2):
        until(partial(reported, recorder, done), f"{done} calls", shown=partial(seen, recorder))
        kill_one(recorder)
    [id_] = trace_ids(driver)
    until(lambda: len(answered(recorder.trace(id_))) == count, "all tasks answered")
    [trace] = recorder.traces()
    check_batch(trace, "ann", count, KILLS)
    assert WORKERS <= len(processes(trace)) <= WORKERS + KILLS + 1


def kill_one(recorder: Recorder) -> None:
    """End one of the processes that were at work last, as a machine that fails would."""
    [trace] = recorder.traces()
    kill_one_of(processes(trace, last=2 * WORKERS))


def processes(trace: Trace, last: int = 0) -> list[int]:
    """Those in which tasks ran."""
    tasks = [each for each in trace.observations if each.name == "task"]
    return [*{int(each.metadata["process"]) for each in tasks[-last:]}]


def test_the_items_of_an_experiment_are_in_traces_of_their_own(
    drive: Drive, recorder: Recorder
) -> None:
    recorder.clear()
    ids = trace_ids(drive("ann", "items"))
    assert len({*ids}) == ITEMS
    until(partial(reported, recorder, ITEMS), "the calls", shown=partial(seen, recorder))
    traces = recorder.traces()
    assert {trace.id for trace in traces} == {*ids}
    for trace in traces:
        assert_unified(trace)
        [generation] = of_gateway(trace)
        assert (generation.user_id, generation.prompt_name) == ("ann", "spread")
        assert len(answered(trace)) == 1
