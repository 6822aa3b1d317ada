"""What the gateway adapter costs a gateway: `make bench`.

A machine's speed changes from second to second by more than the adapter costs, and two LiteLLM
processes differ by more, too, whatever runs in them. So in each mode one real gateway gets the same
calls with a link, in blocks of a third of a second, and between them the adapter is taken out of it
and put back (``switch.py``). Each round has three blocks in random order: with it, without it, and
without it once more. The ratio is of the first to the mean of the others; `null` is that of these
to each other, which is 1 but for chance. Their model is LiteLLM's own mock: nothing upstream takes
part, so that the adapter's share is the largest it can be. What the gateway reports goes to a
recorder in a process of its own. Compare the ratios, not machines.

What stays in the gateway without the adapter, its processor of spans and what it wraps, finds no
call then, and takes a few microseconds.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import multiprocessing
import os
import random
import secrets
import signal
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tracesplice_testing.gateway import Gateway, GatewayMode
from tracesplice_testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

ROUNDS = 60  # in each mode; `--rounds` for more: the error falls with their root
WARM_UP = 4  # rounds that do not count
TURNS, CALLS = 8, 4  # of one block: calls at once, so many times
# As a gateway in production batches its reports, but often enough for a short block.
ENVIRONMENT = {
    # Python looks through all of LiteLLM's objects once in some 500 calls, for half a second: one
    # such stop more or less would be all the difference between two short runs.
    # https://docs.litellm.ai/docs/proxy/config_settings
    "PYTHON_GC_THRESHOLD": "700,10,1000",
    "LANGFUSE_FLUSH_AT": "100",
    "LANGFUSE_FLUSH_INTERVAL": "0.2",
    "OTEL_BSP_SCHEDULE_DELAY": "200",
}
# With a price of LiteLLM's own: where the configuration has one, each call makes LiteLLM forget all
# prices, and how often it reads them again depends on how calls at once happen to interleave.
MODEL = {
    "model_name": "priced",
    "litellm_params": {
        "model": "openai/gpt-4o-mini",
        "api_key": "sk-upstream",
        "mock_response": "hello",
    },
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
class Blocks:
    """What one call took in each block of a kind.

    Attributes:
        wall: Seconds by the clock.
        cpu: CPU seconds of the gateway, with what the calls leave it to do afterwards.
    """

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def post(gateway: Gateway) -> bool:
    """Make one call, with a link of its own; whether the adapter had a part in it."""
    trace_id, parent_id = secrets.token_hex(16), secrets.token_hex(8)
    ids = {"existing_trace_id": trace_id, "parent_observation_id": parent_id}
    body = {
        "model": MODEL["model_name"],
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
        had_adapter = response.getheader("x-tracesplice-reports") is not None
    connection.close()
    return had_adapter


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


def play(gateway: Gateway, pool: ThreadPoolExecutor, blocks: Blocks, *, adapter: bool) -> None:
    """One block, of a gateway that has settled."""
    os.kill(gateway.pid, signal.SIGUSR2 if adapter else signal.SIGUSR1)
    before = cpu_seconds(gateway.pid)
    start = time.perf_counter()
    for _ in range(TURNS):
        if set(pool.map(post, [gateway] * CALLS)) != {adapter}:
            raise SystemExit("taking the adapter out of the gateway, or putting it back, failed")
    blocks.wall.append((time.perf_counter() - start) / (TURNS * CALLS))
    blocks.cpu.append((settled(gateway.pid) - before) / (TURNS * CALLS))


def measure(gateway: Gateway, rounds: int, description: str) -> tuple[Blocks, Blocks, Blocks]:
    """Play all rounds: blocks with the adapter, without it, and without it once more."""
    kinds = with_it, without, again = Blocks(), Blocks(), Blocks()
    settled(gateway.pid)
    with ThreadPoolExecutor(CALLS) as pool:
        for number in track(range(WARM_UP + rounds), description=description):
            if number == WARM_UP:
                for kind in kinds:
                    kind.wall.clear()
                    kind.cpu.clear()
            for kind in random.sample(kinds, len(kinds)):
                play(gateway, pool, kind, adapter=kind is with_it)
    return with_it, without, again


def compare(mode: GatewayMode, langfuse_env: dict[str, str], rounds: int) -> list[str]:
    """Measure one mode; a row of the table."""
    gateway = Gateway(
        mode,
        langfuse_env=langfuse_env,
        model_url="http://127.0.0.1:9",
        callbacks=["switch.switch"],
        config_extra={"model_list": [MODEL]},
        extra_env=ENVIRONMENT,
        adapter=True,
        files={"switch.py": Path(__file__).with_name("switch.py").read_text()},
    )
    with gateway:
        with_it, without, again = measure(gateway, rounds, mode.value)
    return [
        mode.value,
        ratio(even(without.wall, again.wall), with_it.wall),
        ratio(without.wall, again.wall),
        ratio(even(without.cpu, again.cpu), with_it.cpu),
        ratio(without.cpu, again.cpu),
        f"{statistics.mean(without.cpu) * 1e3:.1f}",
    ]


def even(first: list[float], second: list[float]) -> list[float]:
    """The mean of each round's two blocks without the adapter, which halves what chance does."""
    return [math.sqrt(a * b) for a, b in zip(first, second, strict=True)]


def ratio(without: list[float], having: list[float]) -> str:
    """How many times as much per second is done: the mean of all rounds, and its standard error.

    A tenth of the rounds is left out at either end, where the machine had something else to do.
    """
    found = sorted(math.log(a / b) for a, b in zip(without, having, strict=True))
    kept = found[len(found) // 10 : len(found) - len(found) // 10]
    error = statistics.stdev(kept) / len(kept) ** 0.5
    return f"{math.exp(statistics.mean(kept)):.3f} ± {error:.3f}"


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
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="in each mode")
    parser.add_argument("--mode", choices=[mode.value for mode in GatewayMode], action="append")
    options = parser.parse_args()
    # Narrow, for the 80 columns of a pipe.
    title = "A gateway with the adapter, to without"
    table = Table(title=title, box=None, padding=(0, 1, 0, 0))
    for column in ("mode", "throughput", "null", "by CPU time", "null", "ms"):
        table.add_column(column, no_wrap=True)
    with recorder_apart() as langfuse_env:
        for mode in GatewayMode:
            if mode.value in (options.mode or [mode.value]):
                table.add_row(*compare(mode, langfuse_env, options.rounds))
    Console().print(table)


if __name__ == "__main__":
    main()
