"""Celery tasks go on in the trace they were handed out in; what workers observe arrives, once."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest
from redis import Redis

from rig.patience import PATIENCE
from tracesplice.testing import assert_unified
from workers.arrived import answered, check, check_batch, of_gateway, reported, seen
from workers.servers import TESTS, kill_one_of, until, worker
from workers.ways import CALLS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tracesplice_testing.recorder import Recorder

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


def trace_id(process: subprocess.Popen[str], seconds: float = PATIENCE) -> str:
    """Wait for its end."""
    output, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0
    return output.strip()


@pytest.fixture(autouse=True)
def _nothing_is_left(env: dict[str, str], recorder: Recorder) -> None:
    # Of the test before: Celery 5.3 hands tasks out again that a gevent pool just did at its end.
    Redis.from_url(env["WORKERS_BROKER"]).flushall()
    recorder.clear()


@pytest.mark.parametrize("pool", POOLS)
def test_tasks_are_in_the_trace_of_what_handed_them_out(
    pool: str, env: dict[str, str], recorder: Recorder, tmp_path: Path
) -> None:
    calls = sum(CALLS.values())
    with worker(env, tmp_path / "log", *POOLS[pool]):
        producers = {user: hand_out(env, user) for user in ("ann", "bob")}
        ids = {user: trace_id(process) for user, process in producers.items()}

        def arrived(id_: str) -> bool:
            return len(of_gateway(recorder.trace(id_))) >= calls

        for id_ in ids.values():
            until(partial(arrived, id_), "the gateway's generations", shown=partial(seen, recorder))
    log = (tmp_path / "log").read_text()
    assert "tracesplice" not in log, log
    traces = {trace.id: trace for trace in recorder.traces()}
    assert traces.keys() == {*ids.values()}, seen(recorder)
    for user, id_ in ids.items():
        assert len(of_gateway(traces[id_])) == calls
        assert_unified(traces[id_])
        check(traces[id_], user, handed_on=1)


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_what_is_observed_outside_of_tasks_is_sent_when_a_worker_stops(
    pool: str, env: dict[str, str], recorder: Recorder, tmp_path: Path
) -> None:
    processes = {"prefork": 3, "threads": 1}[pool]
    with worker({**env, "WORKERS_OBSERVE": "1"}, tmp_path / "log", *POOLS[pool]):
        pass
    until(lambda: len(recorder.traces()) >= processes, "the observations", 20)
    assert len(recorder.traces()) == processes, seen(recorder)


def test_a_batch_over_worker_processes_two_of_which_are_killed(
    env: dict[str, str], recorder: Recorder, tmp_path: Path
) -> None:
    options = ("--pool=prefork", f"--concurrency={WORKERS}")
    with worker(env, tmp_path / "log", *options):
        producer = hand_out(env, "ann", "delay", str(BATCH))
        for done in (BATCH // 4, BATCH // 2):
            until(partial(reported, recorder, done), f"{done} calls")
            kill_one_of(_processes(env))
        id_ = trace_id(producer)
        until(lambda: len(answered(recorder.trace(id_))) == BATCH, "all tasks answered")
    [trace] = recorder.traces()
    assert trace.id == id_
    check_batch(trace, "ann", BATCH, KILLS)


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
