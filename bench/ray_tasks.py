"""What tracesplice costs Ray: `python bench/ray_tasks.py`.

Empty tasks are called in an observation, on a cluster of four workers on this machine, in turn with
`tracesplice_ray.install()` and without it. That is the worst case: a task that does something takes
longer. Ray does less for a task that has no argument at all, and the carrier is one: so tasks with
an argument of their own are measured as well. A machine's speed changes from second to second, so
the ratio is of rounds that follow each other. `null` is that of two tasks without it.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import secrets
import statistics
import tempfile
import time
from typing import Any

import ray
from langfuse import Langfuse, propagate_attributes
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice_ray

TASKS, ROUNDS, WARM_UP, WORKERS = 2000, 5, 400, 4
CASES = ("with", "without", "without, again")
ARGUMENTS: dict[str, tuple[str, ...]] = {"no argument": (), "an argument": ("Say one.",)}
AMBIENT: Any = {
    "user_id": "u",
    "session_id": "s",
    "tags": ["t"],
    "prompt": {"name": "p", "version": 1},
}


def task() -> Any:
    """Return a task of its own, which does nothing."""

    def empty(*_: str) -> None:
        pass

    return ray.remote(empty)


def measured(case: str, empty: Any, arguments: tuple[str, ...], tasks: int) -> float:
    """Return the seconds from the call of the first task to the end of the last."""
    if case == "with":
        tracesplice_ray.install()
    began = time.perf_counter()
    ray.get([empty.remote(*arguments) for _ in range(tasks)])
    took = time.perf_counter() - began
    tracesplice_ray.uninstall()
    return took


def compare(arguments: tuple[str, ...], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each round, by case."""
    tasks = {case: task() for case in CASES}
    for case, empty in tasks.items():
        measured(case, empty, arguments, WARM_UP)
    took: dict[str, list[float]] = {case: [] for case in CASES}
    for _ in range(rounds):
        for case in random.sample(CASES, len(CASES)):
            took[case].append(measured(case, tasks[case], arguments, TASKS))
    return took


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    langfuse = Langfuse(
        public_key="pk-bench",
        secret_key="sk-bench",
        base_url="http://127.0.0.1:9",
        span_exporter=InMemorySpanExporter(),
    )
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
        start: Any = {"logging_level": logging.ERROR, "log_to_driver": False, "_temp_dir": folder}
        ray.init(num_cpus=WORKERS, include_dashboard=False, **start)
        with langfuse.start_as_current_observation(name="request"), propagate_attributes(**AMBIENT):
            for kind, arguments in ARGUMENTS.items():
                took = compare(arguments, rounds)
                print(f"tasks with {kind}")
                for name, seconds in took.items():
                    print(f"{name:15} {TASKS / statistics.median(seconds):7.0f} tasks a second")
                each = [*zip(*took.values(), strict=True)]
                ratio = statistics.median((one + other) / 2 / with_ for with_, one, other in each)
                null = statistics.median(one / other for _, one, other in each)
                print(f"ratio {ratio:.3f}   null {null:.3f}", flush=True)
        ray.shutdown()


if __name__ == "__main__":
    main()
