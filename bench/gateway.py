"""What the gateway adapter costs a gateway: `make bench`.

In each mode, two real LiteLLM gateways, one with the adapter and one without, get the same calls
with a link, alternately and in short rounds. Their model is LiteLLM's own mock: nothing upstream
takes part, so that the adapter's share is the largest it can be. What they report goes to a
recorder in a process of its own. Requests per second are medians of rounds, CPU time is that of
all rounds, with what a gateway does after them; on a busy machine it is the steadier figure.
Compare the ratios, not machines.
"""

from __future__ import annotations

import http.client
import itertools
import json
import multiprocessing
import os
import secrets
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import track
from rich.table import Table

from rig.gateway import Gateway, GatewayMode
from rig.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

TURNS = 24  # of four rounds each
CALLS = 16  # of one round
CONCURRENCY = 4
SECONDS = 22.0  # for one mode, from when its gateways are ready
# As a gateway in production batches its reports, but often enough for a short run.
BATCHES = {
    "LANGFUSE_FLUSH_AT": "100",
    "LANGFUSE_FLUSH_INTERVAL": "1",
    "OTEL_BSP_SCHEDULE_DELAY": "200",
}
LINK = {
    "trace_user_id": "user-1",
    "trace_session_id": "session-1",
    "trace_tags": ["tag-1"],
    "session_id": "session-1",
    "tags": ["tag-1"],
    "update_trace_keys": ["trace_user_id", "trace_session_id", "trace_tags"],
    "prompt": {"name": "p", "version": 1, "prompt": ""},
}


@dataclass
class Side:
    """One gateway and what its rounds took.

    Attributes:
        wall: Seconds for one call, in each round.
        cpu: The process's CPU seconds so far, before each round and at the end.
    """

    gateway: Gateway
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def cpu_seconds(self) -> list[float]:
        """For one call, in each round; what one round leaves to do in the background is in it."""
        return [(after - before) / CALLS for before, after in itertools.pairwise(self.cpu)]


def post(gateway: Gateway, calls: int) -> None:
    """Make calls over one connection, each with a link of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    for _ in range(calls):
        trace_id, parent_id = secrets.token_hex(16), secrets.token_hex(8)
        ids = {"existing_trace_id": trace_id, "parent_observation_id": parent_id}
        body = {
            "model": "mock",
            "messages": [{"role": "user", "content": "hello"}],
            "litellm_metadata": {**ids, **LINK},
        }
        headers = {
            "Authorization": f"Bearer {gateway.key}",
            "Content-Type": "application/json",
            "traceparent": f"00-{trace_id}-{parent_id}-01",
        }
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        with connection.getresponse() as response:
            answer = response.read()
            if response.status != 200:
                raise SystemExit(f"the gateway answered {response.status}: {answer[:500]!r}")
    connection.close()


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far, user and system: https://man7.org/linux/man-pages/man5/proc.5.html."""
    path = Path(f"/proc/{pid}/stat")
    if not path.exists():
        return float("nan")  # not Linux
    fields = path.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def settled(pid: int) -> float:
    """Wait until a gateway has reported what it was asked; its CPU time then, in seconds."""
    before, deadline = cpu_seconds(pid), time.monotonic() + 4.0
    while time.monotonic() < deadline:
        time.sleep(0.25)
        after = cpu_seconds(pid)
        if not after - before > 0.02:
            return after
        before = after
    return before


def play(side: Side, pool: ThreadPoolExecutor) -> None:
    """One round."""
    side.cpu.append(cpu_seconds(side.gateway.pid))
    start = time.perf_counter()
    share = CALLS // CONCURRENCY
    list(pool.map(post, [side.gateway] * CONCURRENCY, [share] * CONCURRENCY))
    side.wall.append((time.perf_counter() - start) / CALLS)


def compare(mode: GatewayMode, langfuse_env: dict[str, str]) -> tuple[Side, Side]:
    """Measure a gateway without the adapter and one with it, in one mode."""
    with ExitStack() as stack:
        sides = []
        for adapter in (False, True):
            gateway = Gateway(
                mode,
                langfuse_env=langfuse_env,
                model_url="http://127.0.0.1:9",
                extra_env=BATCHES,
                adapter=adapter,
            )
            stack.callback(gateway.stop)
            gateway.start()
            sides.append(Side(gateway))
        for side in sides:
            side.gateway.wait_ready()
        without, having = sides
        pool = stack.enter_context(ThreadPoolExecutor(CONCURRENCY))
        for side in (without, having):
            play(side, pool)
            settled(side.gateway.pid)
            side.wall.clear()
            side.cpu.clear()
        # What drifts, and what the round before leaves to do, meets both alike.
        turn = (without, having, having, without)
        deadline = time.monotonic() + SECONDS
        for _ in track(range(TURNS), description=mode.value):
            for side in turn if time.monotonic() < deadline else ():
                play(side, pool)
        for side in (without, having):
            side.cpu.append(settled(side.gateway.pid))
    return without, having


def ratio(without: list[float], having: list[float], middle: Callable[[list[float]], float]) -> str:
    """Without to with; in brackets, the quartiles of the pairs' own ratios."""
    low, _, high = statistics.quantiles(a / b for a, b in zip(without, having, strict=True))
    return f"{middle(without) / middle(having):.3f} ({low:.3f} to {high:.3f})"


def record(connection: Connection) -> None:
    """Be the recorder's process."""
    with Recorder() as recorder:
        connection.send(recorder.env())
        connection.recv()


@contextmanager
def recorder_apart() -> Iterator[dict[str, str]]:
    """A recorder that takes no time of this process; the environment that points to it."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=record, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send(None)
        process.join(10)


def main() -> None:
    """Measure and print."""
    columns = ("requests/s without", "with", "with to without", "CPU ms without", "with")
    table = Table("mode", *columns, "CPU, without to with")
    with recorder_apart() as langfuse_env:
        for mode in GatewayMode:
            without, having = compare(mode, langfuse_env)
            table.add_row(
                mode.value,
                *(f"{1 / statistics.median(side.wall):.0f}" for side in (without, having)),
                ratio(without.wall, having.wall, statistics.median),
                *(f"{statistics.mean(side.cpu_seconds) * 1e3:.2f}" for side in (without, having)),
                ratio(without.cpu_seconds, having.cpu_seconds, statistics.mean),
            )
    Console().print(table)


if __name__ == "__main__":
    main()
