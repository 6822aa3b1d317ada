"""What tracesplice costs Celery: `make bench`, with redis-server installed.

Empty tasks are handed out in an observation, over a real Redis to a real worker, in turn with
`tracesplice_celery.install()` and without it. That is the worst case: a task that does something
takes longer. A machine's speed changes from second to second, so the ratio is of rounds that follow
each other. `null` is that of two workers without it, which is 1 but for chance. `signals alone` is
what cannot be saved: a text of that length, and receivers of the three signals that do nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langfuse import propagate_attributes
from redis import Redis
from rich.progress import track

from celery_app import INSTALLED, application, langfuse
from rig.redis_server import INSTALL, is_installed, redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator

TASKS, ROUNDS, WARM_UP, PATIENCE = 2000, 5, 400, 60  # the last one in seconds
POOLS = {"prefork": ("--pool=prefork", "--concurrency=4"), "solo": ("--pool=solo",)}
CASES = {
    "with": "places",
    "without": "nothing",
    "without, again": "nothing",
    "signals alone": "signals_alone",
}
AMBIENT: Any = {
    "user_id": "u",
    "session_id": "s",
    "tags": ["t"],
    "prompt": {"name": "p", "version": 1},
}


@contextmanager
def running(*command: str, env: dict[str, str]) -> Iterator[None]:
    """Run a program of this folder beside the block."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **env},
        cwd=Path(__file__).parent,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


class Case:
    """An application, its worker, and what its rounds took.

    Args:
        broker: The URL of a database of its own.
        installed: What is installed, a name of ``celery_app.INSTALLED``.
    """

    def __init__(self, broker: str, installed: str) -> None:
        self.seconds: list[float] = []
        self._env = {
            "BENCH_BROKER": broker,
            "BENCH_INSTALLED": installed,
            "PYTHONWARNINGS": "ignore",  # Celery's, in a container, of being root
        }
        self._redis = Redis.from_url(broker)
        self._task = application(broker).tasks["empty"]
        self._installed = INSTALLED[installed]

    def worker(self, *options: str) -> Any:
        """Run its worker beside a block."""
        command = (sys.executable, "-m", "celery", "--app=celery_app", "worker", *options)
        quiet = ("--loglevel=ERROR", "--without-gossip", "--without-mingle")
        return running(*command, *quiet, env=self._env)

    def measure(self, tasks: int) -> float:
        """Return the seconds from handing out the first task to the end of the last."""
        began = time.perf_counter()
        with self._installed():
            for _ in range(tasks):
                self._task.delay()
            while self._redis.llen("celery") or self._redis.hlen("unacked"):
                if time.perf_counter() - began > PATIENCE:
                    sys.exit("The tasks were not done in time.")
                time.sleep(0.005)
        return time.perf_counter() - began


def measured(pool: str, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each round, by case."""
    with ExitStack() as stack:
        url = stack.enter_context(redis_server()).rpartition("/")[0]
        cases = {
            name: Case(f"{url}/{number}", installed)
            for number, (name, installed) in enumerate(CASES.items())
        }
        for case in cases.values():
            stack.enter_context(case.worker(*POOLS[pool]))
        stack.enter_context(langfuse.start_as_current_observation(name="request"))
        stack.enter_context(propagate_attributes(**AMBIENT))
        for case in cases.values():
            case.measure(WARM_UP)
        for _ in track(range(rounds), f"Celery, {pool}"):
            for case in random.sample([*cases.values()], len(cases)):
                case.seconds.append(case.measure(TASKS))
    return {name: case.seconds for name, case in cases.items()}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", choices=POOLS, action="append")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    if not is_installed():
        sys.exit(f"Celery's tasks were not measured. Type: {INSTALL}")
    for pool in chosen.pool or POOLS:
        took = measured(pool, chosen.rounds)
        for name, seconds in took.items():
            print(f"{name:15} {TASKS / statistics.median(seconds):7.0f} tasks a second")
        rounds = [*zip(*took.values(), strict=True)]
        ratio = statistics.median((one + other) / 2 / with_ for with_, one, other, _ in rounds)
        least = statistics.median((one + other) / 2 / alone for _, one, other, alone in rounds)
        null = statistics.median(one / other for _, one, other, _ in rounds)
        print(f"ratio {ratio:.3f}   signals alone {least:.3f}   null {null:.3f}")


if __name__ == "__main__":
    main()
