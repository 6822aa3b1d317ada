"""What calls Ray's tasks and actors: `python -m workers.ray_driver USER WHAT`.

Prints the trace's id; for the items of an experiment that of each.
"""

from __future__ import annotations

import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ray
from langfuse import propagate_attributes

import tracesplice
import tracesplice_ray
from workers.ray_calls import tracer
from workers.ray_cluster import WORKERS
from workers.ray_ways import BATCH, FEW, ITEMS, TRACE
from workers.ray_work import WAYS, ThreadedAsker, ask, make

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@contextmanager
def request(user: str) -> Iterator[None]:
    """A span of a user's."""
    with (
        tracer.start_as_current_observation(name="request") as span,
        propagate_attributes(
            user_id=user,
            session_id=f"session of {user}",
            tags=[f"tag of {user}"],
            prompt=tracer.get_prompt("spread"),
        ),
    ):
        yield
    print(TRACE, span.trace_id)


def ways(user: str, some: Iterable[str] = WAYS) -> None:
    """Call everything once, several at a time."""
    with request(user), ThreadPoolExecutor(WORKERS) as pool:
        work = [pool.submit(tracesplice.wrap(WAYS[way]), f"{user} {way}") for way in some]
        for each in work:
            each.result()


def few(user: str) -> None:
    """Call some of it."""
    ways(user, FEW)


def tasks(user: str) -> None:
    """Call a task many times, whatever befalls it."""
    with request(user):
        ray.get([ask.options(max_retries=-1).remote(f"{user} {n}") for n in range(BATCH["tasks"])])


def actors(user: str) -> None:
    """Call actors many times."""
    options = {"max_concurrency": 1, "max_restarts": -1, "max_task_retries": -1}
    with request(user):
        askers = [make(ThreadedAsker, **options) for _ in range(WORKERS)]
        calls = range(BATCH["actors"])
        ray.get([askers[n % WORKERS].ask.remote(f"{user} {n}") for n in calls])


def items(user: str) -> None:
    """Run an experiment, each item in a task."""

    async def task(*, item: Any, **_: Any) -> str:
        return str(await ask.remote(item["input"]))

    data: Any = [{"input": f"{user} {n}"} for n in range(ITEMS)]
    with propagate_attributes(user_id=user, prompt=tracer.get_prompt("spread")):
        result = tracer.run_experiment(name="spread", data=data, task=task, max_concurrency=3)
    for each in result.item_results:
        print(TRACE, each.trace_id)


def main() -> None:
    """Do one of them."""
    user, what = sys.argv[1:]
    tracesplice_ray.install()
    ray.init(logging_level=logging.ERROR, log_to_driver=False)
    {"ways": ways, "few": few, "tasks": tasks, "actors": actors, "items": items}[what](user)
    tracer.flush()
    ray.shutdown()


if __name__ == "__main__":
    main()
