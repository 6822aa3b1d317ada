"""Ray's tasks and actors that call a model, and the ways in which they are called."""

from __future__ import annotations

import asyncio
import os
from contextvars import Context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray

import tracesplice
from workers.ray_calls import acall, call, span

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

__all__ = ["WAYS", "ThreadedAsker", "ask", "make"]


@ray.remote
def ask(question: str) -> str:
    """Ask once."""
    return call(question)


@ray.remote
def ask_twice(question: str) -> Iterator[str]:
    """Ask as the answers are read."""
    for _ in range(2):
        yield call(question)


@ray.remote
def ask_from(queue: Any) -> str:
    """Ask what is in a queue."""
    job = queue.get(timeout=60)
    with tracesplice.resume(job["carrier"], strict=True):
        return call(job["question"])


@ray.remote
def hand_on(question: str) -> str:
    """Hand the question to another task, in a span of its own."""
    with span("hand on"):
        return str(ray.get(ask.remote(question)))


@ray.remote(max_retries=1, retry_exceptions=True)
def ask_at_the_second_try(question: str, seen: str) -> str:
    """Fail once, then ask."""
    try:
        os.close(os.open(seen, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return call(question)
    with span("failed try"):
        raise RuntimeError("not yet")


@ray.remote
class Asker:
    """Asks in its constructor, and in its methods."""

    def __init__(self, question: str) -> None:
        self.first = call(question)

    def ask(self, question: str) -> str:
        return self._ask(question)

    def ask_each(self, question: str) -> Iterator[str]:
        yield call(question)

    def _ask(self, question: str) -> str:
        return call(question)


@ray.remote
def ask_actor(asker: Any, question: str) -> str:
    """Ask by an actor's method."""
    return str(ray.get(asker.ask.remote(question)))


@ray.remote
class AsyncAsker:
    """Asks several at once, in one thread."""

    async def ask(self, question: str) -> str:
        return await acall(question)

    async def ask_another(self, asker: Any, question: str) -> str:
        return str(await asker.ask.remote(question))

    async def ask_each(self, question: str) -> AsyncIterator[str]:
        for _ in range(2):
            await asyncio.sleep(0.01)
            yield await acall(question)


@ray.remote(max_concurrency=3)
class ThreadedAsker:
    """Asks several at once, in threads."""

    def ask(self, question: str) -> str:
        return call(question)


class BatchAsker:
    """Asks for each row of a dataset; its constructor asks, too."""

    def __init__(self, question: str) -> None:
        call(question)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return ask_batch(batch)


def ask_batch(batch: dict[str, Any]) -> dict[str, Any]:
    """Ask for each row."""
    return {"answer": [call(each) for each in batch["question"]]}


def make(kind: Any, *args: Any, **options: Any) -> Any:
    """Make an actor; type checkers do not know what a class is that Ray decorates."""
    return kind.options(**options).remote(*args) if options else kind.remote(*args)


def by_actor(question: str) -> None:
    name = question.replace(" ", "-")
    asker = make(Asker, question, name=name)
    ray.get(asker.ask.remote(question=question))
    read(asker.ask_each.remote(question))
    ray.get(ray.get_actor(name).ask.remote(question))
    ray.get(ask_actor.remote(asker, question))


def by_async_actor(question: str) -> None:
    asker = make(AsyncAsker)
    ray.get([asker.ask.remote(question) for _ in range(3)])
    read(asker.ask_each.remote(question))
    ray.get(asker.ask_another.remote(make(ThreadedAsker), question))


def by_threaded_actor(question: str) -> None:
    asker = make(ThreadedAsker)
    ray.get([asker.ask.remote(question) for _ in range(3)])


def by_dataset(question: str) -> None:
    import ray.data

    rows: Any = ray.data.from_items([{"question": question}] * 4, override_num_blocks=2)
    rows.map_batches(ask_batch, batch_size=1).take_all()


def by_dataset_in_actors(question: str) -> None:
    import ray.data

    rows: Any = ray.data.from_items([{"question": question}] * 4, override_num_blocks=2)
    pool = ray.data.ActorPoolStrategy(size=1)
    made = {"fn_constructor_args": (question,), "compute": pool, "batch_size": 1}
    rows.map_batches(BatchAsker, **made).take_all()


def by_queue(question: str) -> None:
    from ray.util.queue import Queue

    queue = Queue()
    queue.put({"question": question, "carrier": tracesplice.capture()})
    # Called where nothing is current: the carrier alone says where it belongs.
    Context().run(lambda: ray.get(ask_from.remote(queue)))


def at_the_second_try(question: str) -> None:
    seen = Path(ray.get_runtime_context().get_temp_dir(), question.replace(" ", "-"))
    ray.get(ask_at_the_second_try.remote(question, str(seen)))


def read(answers: Any) -> None:
    for each in answers:
        ray.get(each)


WAYS: dict[str, Any] = {
    "a task": lambda q: ray.get(ask.remote(q)),
    "a task with options": lambda q: ray.get(ask.options(num_cpus=0.5).remote(question=q)),
    "a generator": lambda q: read(ask_twice.remote(q)),
    "from inside a task": lambda q: ray.get(hand_on.remote(q)),
    "a retry": at_the_second_try,
    "an actor": by_actor,
    "an asynchronous actor": by_async_actor,
    "an actor with threads": by_threaded_actor,
    "a queue, by hand": by_queue,
    "a dataset": by_dataset,
    "a dataset, by an object": by_dataset_in_actors,
}
"""By name: what calls the model for a question, and waits for the answers."""
