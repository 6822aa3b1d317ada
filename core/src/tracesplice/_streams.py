"""Reads a lazy stream where it belongs: such a stream sends its request with the first item.

Frameworks take whatever a ``for`` takes. A generator is handed on as a generator, as some look for
one; any other stream in a proxy that has all it has.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Collection, Iterable, Iterator
from contextlib import aclosing, closing, nullcontext
from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any

import wrapt

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    Block = AbstractContextManager[None]

__all__ = ["afirst_read_in", "first_read_in", "has_place"]

_END = object()


def first_read_in(place: Block, items: Any) -> Any:
    """Return ``items``, the first of them to be read inside ``place``.

    Args:
        place: A context manager; it is entered once at most.
        items: The stream. What is not lazy, such as a list, is returned as it is.
    """
    if isinstance(items, GeneratorType):
        return _read(place, items)
    if not isinstance(items, Iterable) or isinstance(items, Collection):
        return items
    return (_Iterator if isinstance(items, Iterator) else _Iterable)(items, place)


def afirst_read_in(place: Block, items: Any) -> Any:
    """Return the asynchronous stream ``items``, as ``first_read_in`` does a synchronous one."""
    if isinstance(items, AsyncGeneratorType):
        return _aread(place, items)
    if not isinstance(items, AsyncIterable):
        return items
    return (_AsyncIterator if isinstance(items, AsyncIterator) else _AsyncIterable)(items, place)


def has_place(items: Any) -> bool:
    """Return whether the first of ``items`` is read inside a place already."""
    if isinstance(items, GeneratorType):
        return items.gi_code is _read.__code__
    if isinstance(items, AsyncGeneratorType):
        return items.ag_code is _aread.__code__
    return isinstance(items, _Stream)


def _read(place: Block, items: Iterable[Any]) -> Iterator[Any]:
    with closing(items) if isinstance(items, GeneratorType) else nullcontext():
        with place:
            stream = iter(items)
            first = next(stream, _END)
        if first is not _END:
            yield first
            yield from stream


async def _aread(place: Block, items: AsyncIterable[Any]) -> AsyncIterator[Any]:
    async with aclosing(items) if isinstance(items, AsyncGeneratorType) else nullcontext():
        with place:
            stream = aiter(items)
            first = await anext(stream, _END)
        if first is not _END:
            yield first
            async for item in stream:
                yield item


class _Stream(wrapt.ObjectProxy):  # type: ignore[misc,type-arg,unused-ignore]
    """What it has of its own has a name with ``_self_``, as wrapt wants it."""

    def __init__(self, items: Any, place: Block) -> None:
        super().__init__(items)
        self._self_place: Block | None = place

    def _self_first(self) -> Block:
        place, self._self_place = self._self_place, None
        return place or nullcontext()

    # SDKs' streams are context managers, and return themselves.
    def __enter__(self) -> Any:
        entered = self.__wrapped__.__enter__()
        return self if entered is self.__wrapped__ else first_read_in(self._self_first(), entered)

    async def __aenter__(self) -> Any:
        entered = await self.__wrapped__.__aenter__()
        return self if entered is self.__wrapped__ else afirst_read_in(self._self_first(), entered)

    async def __aexit__(self, *error: Any) -> Any:
        return await self.__wrapped__.__aexit__(*error)


class _Iterator(_Stream):
    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        with self._self_first():
            return next(self.__wrapped__)


class _Iterable(_Stream):
    def __iter__(self) -> Iterator[Any]:
        return _read(self._self_first(), self.__wrapped__)


class _AsyncIterator(_Stream):
    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        with self._self_first():
            return await anext(self.__wrapped__)


class _AsyncIterable(_Stream):
    def __aiter__(self) -> AsyncIterator[Any]:
        return _aread(self._self_first(), self.__wrapped__)
