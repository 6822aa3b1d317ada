"""Lets one call shape be written once and run with a synchronous or an asynchronous client."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

__all__ = ["TLS", "drive", "each", "entered", "first", "settle"]

TLS = ssl.create_default_context()
"""Shared by all clients: none needs it, and to make its own would take each as long as its call."""


def drive(coroutine: Coroutine[Any, Any, Any], is_async: bool) -> Any:
    """Run a shape: in an event loop, or for a synchronous client without one."""
    if is_async:
        return asyncio.run(coroutine)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("a synchronous shape waited for something")


async def settle(value: Any) -> Any:
    """Await what an asynchronous client returned; pass on what a synchronous one did."""
    return await value if inspect.isawaitable(value) else value


async def each(stream: Any) -> AsyncIterator[Any]:
    """Iterate over either kind of stream."""
    # OpenInference's proxies of synchronous streams and managers have both kinds of methods.
    if hasattr(getattr(stream, "__wrapped__", stream), "__aiter__"):
        async for item in stream:
            yield item
    else:
        for item in stream:
            yield item


async def first(items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Yield one item and leave the rest."""
    async for item in items:
        yield item
        break


@asynccontextmanager
async def entered(manager: Any) -> AsyncIterator[Any]:
    """Enter either kind of context manager."""
    if hasattr(getattr(manager, "__wrapped__", manager), "__aenter__"):
        async with manager as value:
            yield value
    else:
        with manager as value:
            yield value
