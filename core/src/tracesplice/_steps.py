"""Generators whose steps run in a context of their own: nothing of it shows between them."""

from __future__ import annotations

from contextlib import ExitStack
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
    from contextlib import AbstractContextManager

__all__ = ["asteps", "steps"]


def steps(
    place: Callable[[], AbstractContextManager[None]], items: Generator[Any, Any, Any]
) -> Generator[Any, Any, Any]:
    """Return a generator of ``items``, which is read inside ``place``.

    Args:
        place: Makes a context manager, which is entered with the first step.
        items: The generator.
    """
    own, inside = copy_context(), ExitStack()
    own.run(inside.enter_context, place())
    step: Callable[[Any], Any] = items.send
    given: Any = None
    try:
        while True:
            try:
                item = own.run(step, given)
            except StopIteration as end:
                return end.value
            try:
                given = yield item
                step = items.send
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001  (it is the generator's to handle)
                step, given = items.throw, error
    finally:
        own.run(items.close)
        own.run(inside.close)


async def asteps(
    place: Callable[[], AbstractContextManager[None]],
    items: AsyncGenerator[Any, Any],
    *,
    after: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[Any]:
    """Return the asynchronous generator ``items``, as ``steps`` does a synchronous one.

    Args:
        place: Makes a context manager, which is entered with the first step.
        items: The generator.
        after: What is awaited at the end.
    """
    own, inside = copy_context(), ExitStack()
    own.run(inside.enter_context, place())
    step: Callable[[Any], Awaitable[Any]] = items.asend
    given: Any = None
    try:
        while True:
            try:
                item = await _In(own, step(given))
            except StopAsyncIteration:
                return
            try:
                given = yield item
                step = items.asend
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001  (it is the generator's to handle)
                step, given = items.athrow, error
    finally:
        try:
            await _In(own, items.aclose())
            own.run(inside.close)
        finally:
            if after is not None:
                await after()


class _In:
    """Awaits something, each step of it inside a context."""

    def __init__(self, own: Context, awaited: Awaitable[Any]) -> None:
        self._own, self._awaited = own, awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        running: Any = self._awaited.__await__()  # a generator, or what has its methods
        step: Callable[[Any], Any] = running.send
        given: Any = None
        while True:
            try:
                waited = self._own.run(step, given)
            except StopIteration as end:
                return end.value
            try:
                given = yield waited
                step = running.send
            except BaseException as error:  # noqa: BLE001  (cancellation, say)
                step, given = running.throw, error
