"""A wrapped generator keeps its place for itself, however it is driven and ended."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

import tracesplice
from tracesplice.adapter import Link, capture_link
from unit.wrapping import request

if TYPE_CHECKING:
    from langfuse import Langfuse

own: ContextVar[str] = ContextVar("own", default="nobody's")


def test_a_generator_keeps_its_context_to_itself(langfuse: Langfuse) -> None:
    def work() -> Any:
        own.set("the generator's")
        with langfuse.start_as_current_observation(name="step") as step:
            got = yield step.id, capture_link()
            try:
                yield got, capture_link(), own.get()
            except KeyError:
                yield capture_link()
        return "done"

    with request(langfuse, "ann") as here:
        wrapped = tracesplice.wrap(work)
    with request(langfuse, "eve") as there:
        items = wrapped()
        step, first = next(items)
        assert (first.trace_id, first.parent_id, first.user_id) == (here.trace_id, step, "ann")
        assert capture_link() == there
        assert items.send("sent") == ("sent", first, "the generator's")
        assert own.get() == "nobody's"
        assert items.throw(KeyError()) == first
        with pytest.raises(StopIteration) as end:
            next(items)
        assert end.value.value == "done"
        assert capture_link() == there


def test_a_generator_can_be_closed(langfuse: Langfuse) -> None:
    closed = []

    def work() -> Any:
        try:
            yield 1
        finally:
            closed.append(capture_link())

    with request(langfuse, "ann") as here:
        wrapped = tracesplice.wrap(work)
    items = wrapped()
    next(items)
    items.close()
    assert closed == [here]


def test_an_asynchronous_generator_is_cancelled_and_closed(langfuse: Langfuse) -> None:
    closed: list[Any] = []

    async def work() -> Any:
        try:
            got = yield capture_link()
            closed.append(got)
            await asyncio.sleep(60)
            yield 2
        except asyncio.CancelledError:
            closed.append("cancelled")
            raise
        finally:
            closed.append(capture_link())

    async def main() -> None:
        items = wrapped()
        assert await anext(items) == here
        task = asyncio.ensure_future(items.asend("sent"))
        while not closed:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert capture_link() == Link()
        other = wrapped()
        await anext(other)
        await other.aclose()

    with request(langfuse, "ann") as here:
        wrapped = tracesplice.wrap(work)
    asyncio.run(main())
    assert closed == ["sent", "cancelled", here, here]


def test_context_managers_can_be_made_of_them(langfuse: Langfuse) -> None:
    def block() -> Any:
        with suppress(KeyboardInterrupt):
            yield capture_link()

    async def ablock() -> Any:
        with suppress(asyncio.CancelledError):
            yield capture_link()

    async def main() -> None:
        async with asynccontextmanager(awrapped)() as found:
            assert (found, capture_link()) == (here, Link())
            raise asyncio.CancelledError

    with request(langfuse, "ann") as here:
        wrapped, awrapped = tracesplice.wrap(block), tracesplice.wrap(ablock)
    asyncio.run(main())
    with contextmanager(wrapped)() as found:
        assert (found, capture_link()) == (here, Link())
        raise KeyboardInterrupt
