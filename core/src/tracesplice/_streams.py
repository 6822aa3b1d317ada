"""Reads a lazy stream where it belongs: such a stream sends its request with the first item."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator
    from contextlib import AbstractContextManager

__all__ = ["afirst_read_in", "first_read_in"]

_END = object()


def first_read_in(
    place: AbstractContextManager[None], items: Iterator[Any]
) -> Generator[Any, None, None]:
    """Yield ``items``, the first of them read inside ``place``."""
    with place:
        first = next(items, _END)
    if first is not _END:
        yield first
        yield from items


async def afirst_read_in(
    place: AbstractContextManager[None], items: AsyncGenerator[Any, None]
) -> AsyncGenerator[Any, None]:
    """Yield ``items``, the first of them read inside ``place``."""
    async with aclosing(items):
        with place:
            first = await anext(items, _END)
        if first is not _END:
            yield first
            async for item in items:
                yield item
