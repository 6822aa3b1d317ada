"""What the gateway adapter costs a gateway: `make bench`.

A machine's speed changes from second to second by more than the adapter costs, and two LiteLLM
processes differ a little whatever runs in them. So in each mode several groups of four real
gateways, two with the adapter and two without, get the same calls with a link, in turns of a tenth
of a second and in random order; each group gives one ratio, and the table their mean with its
standard error. Beside it is what the same arithmetic says of gateways that do not differ, the two
of a group that run without the adapter. Their model is LiteLLM's own mock: nothing upstream takes
part, so that the adapter's share is the largest it can be. What they report goes to a recorder in a
process of its own. Compare the ratios, not machines.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import multiprocessing
import random
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
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

GROUPS = 3  # in each mode; `--groups` for more: the error falls with their root
ROUNDS = 60  # of each gateway
CALLS = 4  # of one round, all at once
SECONDS = 30.0  # for one group, from when its gateways are ready
LAYOUTS = ((False, True, True, False), (True, False, False, True))  # with the adapter, or not
# As a gateway in production batches its reports, but often enough for a short run.
ENVIRONMENT = {
    # Python looks through all of LiteLLM's objects once in some 500 calls, for half a second: one
    # such stop more or less would be all the difference between two short runs.
    # https://docs.litellm.ai/docs/proxy/config_settings
    "PYTHON_GC_THRESHOLD": "700,10,1000",
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
        adapter: Whether it runs with the adapter.
        wall: Seconds for one call, in each round.
        cpu: CPU seconds of its process for one call, with what the calls leave to do afterwards.
    """

    gateway: Gateway
    adapter: bool
    wall: list[float] = field(default_factory=list)
    cpu: float = 0.0


@dataclass(frozen=True)
class Ratio:
    """How many times as much per second one half of each group does, of what the other half does.

    Attributes:
        wall: By the clock, one for each group.
        cpu: By CPU time, one for each group.
    """

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, these: list[Side], those: list[Side]) -> None:
        """Compare the gateways of one group."""
        self.wall.append(_mean_wall(those) / _mean_wall(these))
        self.cpu.append(
            statistics.mean(x.cpu for x in those) / statistics.mean(x.cpu for x in these)
        )


def _mean_wall(sides: list[Side]) -> float:
    return statistics.mean(second for side in sides for second in side.wall)


def post(gateway: Gateway) -> None:
    """Make one call, with a link of its own."""
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
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    with connection.getresponse() as response:
        answer = response.read()
        if response.status != 200:
            raise SystemExit(f"the gateway answered {response.status}: {answer[:500]!r}")
    connection.close()


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far, of all its threads.

    https://docs.kernel.org/scheduler/sched-stats.html counts in nanoseconds; where it is not kept,
    not a number.
    """
    try:
        files = list(Path(f"/proc/{pid}/task").glob("*/schedstat"))
        return sum(int(each.read_text().split()[0]) for each in files) / 1e9 if files else math.nan
    except OSError:
        return math.nan


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
    start = time.perf_counter()
    list(pool.map(post, [side.gateway] * CALLS))
    side.wall.append((time.perf_counter() - start) / CALLS)


@contextmanager
def group(
    mode: GatewayMode, langfuse_env: dict[str, str], layout: tuple[bool, ...]
) -> Iterator[list[Side]]:
    """Start gateways, two at a time."""
    with ExitStack() as stack:
        sides = []
        for adapter in layout:
            gateway = Gateway(
                mode,
                langfuse_env=langfuse_env,
                model_url="http://127.0.0.1:9",
                extra_env=ENVIRONMENT,
                adapter=adapter,
            )
            stack.callback(gateway.stop)
            gateway.start()
            sides.append(Side(gateway, adapter))
            if len(sides) % 2 == 0:
                for side in sides[-2:]:
                    side.gateway.wait_ready()
        yield sides


def measure(sides: list[Side], pool: ThreadPoolExecutor) -> None:
    """Play the rounds of one group."""
    for side in sides * 10:
        play(side, pool)
    for side in sides:
        side.wall.clear()
        side.cpu = settled(side.gateway.pid)
    deadline = time.monotonic() + SECONDS
    for _ in range(ROUNDS):
        if time.monotonic() > deadline:
            break
        for side in random.sample(sides, len(sides)):
            play(side, pool)
    for side in sides:
        used = settled(side.gateway.pid) - side.cpu
        side.cpu = used / (len(side.wall) * CALLS)


def compare(mode: GatewayMode, langfuse_env: dict[str, str], groups: int) -> list[str]:
    """Measure one mode; a row of the table."""
    with_it, same, milliseconds = Ratio(), Ratio(), list[float]()
    with ThreadPoolExecutor(CALLS) as pool:
        for number in track(range(groups), description=mode.value):
            with group(mode, langfuse_env, LAYOUTS[number % 2]) as sides:
                measure(sides, pool)
            having = [side for side in sides if side.adapter]
            without = [side for side in sides if not side.adapter]
            with_it.add(having, without)
            same.add(without[:1], without[1:])
            milliseconds += [side.cpu * 1e3 for side in without]
    figures = (with_it.wall, same.wall, with_it.cpu, same.cpu)
    return [mode.value, *map(mean, figures), f"{statistics.mean(milliseconds):.1f}"]


def mean(ratios: list[float]) -> str:
    """Their mean, and its standard error where there is one."""
    found = f"{statistics.mean(ratios):.3f}"
    if len(ratios) < 2:
        return found
    return f"{found} ± {statistics.stdev(ratios) / len(ratios) ** 0.5:.3f}"


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
    parser = argparse.ArgumentParser(description="What the gateway adapter costs a gateway.")
    parser.add_argument("--groups", type=int, default=GROUPS, help="groups of gateways in a mode")
    parser.add_argument("--mode", choices=[mode.value for mode in GatewayMode], action="append")
    options = parser.parse_args()
    columns = ("throughput with/without", "without/without", "by CPU time", "the same")
    table = Table("mode", *columns, "ms a call")
    with recorder_apart() as langfuse_env:
        for mode in GatewayMode:
            if mode.value in (options.mode or [mode.value]):
                table.add_row(*compare(mode, langfuse_env, options.groups))
    Console().print(table)


if __name__ == "__main__":
    main()
