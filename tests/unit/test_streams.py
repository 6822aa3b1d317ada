"""A stream is read as before, whatever it is; its first item in the place it belongs to."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tracesplice.adapter import afirst_read_in, first_read_in, has_place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class Place:
    """Notes where each item was read."""

    def __init__(self) -> None:
        self.inside = False
        self.read: list[bool] = []

    @contextmanager
    def enter(self) -> Iterator[None]:
        self.inside = True
        try:
            yield
        finally:
            self.inside = False

    def items(self) -> Iterator[int]:
        for item in range(3):
            self.read.append(self.inside)
            yield item

    async def aitems(self) -> AsyncIterator[int]:
        for item in self.items():
            yield item


class OnlyNext:
    """An iterator without ``close``, with an attribute of its own; synchronous or not."""

    status = 200

    def __init__(self, items: Any) -> None:
        self.items = items

    def __iter__(self) -> Any:
        return self

    def __aiter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return next(self.items)

    async def __anext__(self) -> Any:
        return await anext(self.items)


class OnlyIter:
    """No iterator, but one can be had from it."""

    status = 200

    def __init__(self, items: Any) -> None:
        self.items = items

    def __iter__(self) -> Any:
        return iter(self.items)

    def __aiter__(self) -> Any:
        return aiter(self.items)


STREAMS = pytest.mark.parametrize("make", [lambda items: items, OnlyNext, OnlyIter])


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


@STREAMS
@pytest.mark.parametrize("is_async", [False, True])
def test_the_first_item_is_read_in_its_place(make: Any, is_async: bool) -> None:
    place = Place()
    assert not has_place(make(place.aitems() if is_async else place.items()))
    if is_async:
        stream = afirst_read_in(place.enter(), make(place.aitems()))
        assert has_place(stream)
        assert asyncio.run(collect(stream)) == [0, 1, 2]
    else:
        stream = first_read_in(place.enter(), make(place.items()))
        assert has_place(stream)
        assert list(stream) == [0, 1, 2]
    assert place.read == [True, False, False]
    kind = make(place.aitems() if is_async else place.items()).__class__
    assert isinstance(stream, kind)
    if kind not in (OnlyNext, OnlyIter):
        assert type(stream) is kind  # some frameworks look at the class itself
    assert getattr(stream, "status", 200) == 200


class Sdks(OnlyNext):
    """As an SDK's stream: a context manager that returns itself."""

    closed = False

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None:
        self.closed = True

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *error: object) -> None:
        self.closed = True


class Opens(OnlyIter):
    """One that returns another stream."""

    def __enter__(self) -> Any:
        return OnlyNext(self.items)

    async def __aenter__(self) -> Any:
        return OnlyNext(self.items)

    def __exit__(self, *error: object) -> None:
        pass

    async def __aexit__(self, *error: object) -> None:
        pass


@pytest.mark.parametrize("make", [Sdks, Opens])
def test_a_stream_that_is_a_context_manager_keeps_its_place(make: Any) -> None:
    place = Place()
    stream = make(place.items())
    with first_read_in(place.enter(), stream) as entered:
        assert entered.status == 200
        assert list(entered) == [0, 1, 2]
    assert place.read == [True, False, False]
    assert getattr(stream, "closed", True)


@pytest.mark.parametrize("make", [Sdks, Opens])
def test_an_asynchronous_one_does_so_too(make: Any) -> None:
    place = Place()
    stream = make(place.aitems())

    async def read() -> list[int]:
        async with afirst_read_in(place.enter(), stream) as entered:
            assert entered.status == 200
            return await collect(entered)

    assert asyncio.run(read()) == [0, 1, 2]
    assert place.read == [True, False, False]
    assert getattr(stream, "closed", True)


@STREAMS
def test_a_stream_without_items_ends(make: Any) -> None:
    async def nothing() -> AsyncIterator[int]:
        items: tuple[int, ...] = ()
        for item in items:
            yield item

    place = Place()
    assert list(first_read_in(place.enter(), make(iter(())))) == []
    assert asyncio.run(collect(afirst_read_in(place.enter(), make(nothing())))) == []
    assert not place.inside


@pytest.mark.parametrize("items", [[1], (1,), {1: 2}, "text", None, 7])
def test_what_is_no_stream_stays_as_it_is(items: Any) -> None:
    assert first_read_in(Place().enter(), items) is items
    assert afirst_read_in(Place().enter(), items) is items


def test_a_stream_is_left_and_its_error_is_its_own() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise KeyError("x")

    stream = first_read_in(Place().enter(), broken())
    assert next(stream) == 1
    with pytest.raises(KeyError):
        next(stream)

    items = Place().aitems()

    async def leave() -> list[int]:
        stream = afirst_read_in(Place().enter(), items)
        first = await anext(stream)
        await stream.aclose()
        return [first, *[item async for item in items]]

    assert asyncio.run(leave()) == [0]
    inner = Place().items()
    outer = first_read_in(Place().enter(), inner)
    next(outer)
    outer.close()
    assert list(inner) == []
