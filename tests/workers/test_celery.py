"""Celery tasks go on in the trace they were handed out in; what workers observe arrives, once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tracesplice.testing import assert_unified
from tracesplice_view import is_of_gateway
from workers.servers import TESTS, until, worker
from workers.ways import CALLS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tracesplice_testing.recorder import Observation, Recorder, Trace

POOLS = {
    "prefork": ("--pool=prefork", "--concurrency=2"),
    "prefork, with processes made anew": (
        "--pool=prefork",
        "--concurrency=2",
        "--max-tasks-per-child=2",
    ),
    "threads": ("--pool=threads", "--concurrency=2"),
    "gevent": ("--pool=gevent", "--concurrency=4"),
    "solo": ("--pool=solo",),
}
BATCH, WORKERS, KILLS = 500, 4, 2


def hand_out(env: Mapping[str, str], *arguments: str) -> subprocess.Popen[str]:
    """Start what hands out tasks; it prints its trace's id."""
    command = [sys.executable, "-m", "workers.hand_out", *arguments]
    return subprocess.Popen(command, cwd=TESTS, env=env, stdout=subprocess.PIPE, text=True)


def trace_id(process: subprocess.Popen[str], seconds: float = 120) -> str:
    """Wait for its end."""
    output, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0
    return output.strip()


def of_gateway(trace: Trace | None) -> list[Observation]:
    """The gateway's generations."""
    return [each for each in (trace.observations if trace else ()) if is_of_gateway(each)]


def task_of(trace: Trace, generation: Observation) -> Observation | None:
    """The task's span, if the application's generation is between."""
    by_id = {each.id: each for each in trace.observations}
    own = by_id.get(str(generation.parent_id))
    return by_id.get(str(own.parent_id)) if own else None


def check(trace: Trace, user: str, handed_on: int) -> None:
    """See that each generation is under its task, and the task where it was handed out."""
    names = {each.id: each.name for each in trace.observations}
    who = (user, f"session of {user}", (f"tag of {user}",), "spread", 1)
    found = []
    for each in of_gateway(trace):
        task = task_of(trace, each)
        assert task is not None, trace.tree()
        assert (task.name, str(task.input) in str(each.input)) == ("task", True), trace.tree()
        said = (each.user_id, each.session_id, each.tags, each.prompt_name, each.prompt_version)
        assert said == who, each.line()
        found.append(names[str(task.parent_id)])
    assert sorted(found) == ["hand on"] * handed_on + ["request"] * (len(found) - handed_on)


@pytest.mark.parametrize("pool", POOLS)
def test_tasks_are_in_the_trace_of_what_handed_them_out(
    pool: str, env: dict[str, str], recorder: Recorder, tmp_path: Path
) -> None:
    recorder.clear()
    calls = sum(CALLS.values())
    with worker(env, tmp_path / "log", *POOLS[pool]):
        producers = {user: hand_out(env, user) for user in ("ann", "bob")}
        ids = {user: trace_id(process) for user, process in producers.items()}

        def arrived(id_: str) -> bool:
            return len(of_gateway(recorder.trace(id_))) >= calls

        for id_ in ids.values():
            until(
                partial(arrived, id_), "the gateway's generations", shown=partial(_seen, recorder)
            )
    log = (tmp_path / "log").read_text()
    assert "tracesplice" not in log, log
    traces = {trace.id: trace for trace in recorder.traces()}
    assert traces.keys() == {*ids.values()}
    for user, id_ in ids.items():
        assert len(of_gateway(traces[id_])) == calls
        assert_unified(traces[id_])
        check(traces[id_], user, handed_on=1)


def test_a_batch_over_worker_processes_two_of_which_are_killed(
    env: dict[str, str], recorder: Recorder, tmp_path: Path
) -> None:
    recorder.clear()
    options = ("--pool=prefork", f"--concurrency={WORKERS}")
    with worker(env, tmp_path / "log", *options):
        producer = hand_out(env, "ann", "delay", str(BATCH))
        for done in (BATCH // 4, BATCH // 2):
            until(partial(_reported, recorder, done), f"{done} calls")
            os.kill(random.choice(_processes(env)), signal.SIGKILL)
        id_ = trace_id(producer)
        until(lambda: len(_answered(recorder.trace(id_))) == BATCH, "all tasks answered", 180)
    [trace] = recorder.traces()
    assert trace.id == id_
    gateway = of_gateway(trace)
    # A task that was killed is asked again, and what it observed itself may be lost.
    lost = [each for each in gateway if task_of(trace, each) is None]
    assert len(lost) <= KILLS
    assert len(gateway) <= BATCH + KILLS
    total = sum(each.usage.get("total", 0) for each in trace.observations)
    assert total == sum(each.usage["total"] for each in gateway)
    assert sum(each.cost for each in trace.observations) == pytest.approx(
        sum(each.cost for each in gateway)
    )
    for each in gateway:
        assert (each.user_id, each.session_id) == ("ann", "session of ann")
        assert (each.prompt_name, each.prompt_version) == ("spread", 1)


def _reported(recorder: Recorder, count: int) -> bool:
    return sum(len(of_gateway(trace)) for trace in recorder.traces()) >= count


def _answered(trace: Trace | None) -> set[str]:
    """The questions of tasks whose span arrived, with the gateway's generation under it."""
    found = [task_of(trace, each) for each in of_gateway(trace)] if trace else []
    return {str(each.input) for each in found if each is not None}


def _processes(env: Mapping[str, str]) -> list[int]:
    """The worker's processes."""
    code = (
        "from workers.celery_app import app;"
        "[print(p) for s in app.control.inspect(timeout=5).stats().values()"
        " for p in s['pool']['processes']]"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=TESTS, env=env, capture_output=True, text=True, check=True
    ).stdout
    return [int(each) for each in output.split()]


def _seen(recorder: Recorder) -> str:
    return "\n".join(trace.tree() for trace in recorder.traces())
