"""What a caller does with a call: reads all of it, leaves it, cancels it, calls again and again."""

from __future__ import annotations

import asyncio
import gc
import threading
from dataclasses import dataclass
from inspect import isawaitable
from types import coroutine
from typing import TYPE_CHECKING, Any

from faults.table.described import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from faults.table.libraries import Library

__all__ = [
    "AT_EVERY_AWAIT",
    "CLOSED",
    "COLLECTED_ELSEWHERE",
    "DROPPED",
    "MANY",
    "NOT_READ",
    "OUT_OF_TIME",
    "WHOLE",
    "Act",
    "Call",
]

_AWAITS = 60  # more than any of the libraries has
_TIMES = 12


@dataclass(frozen=True)
class Call:
    """A call that can be made, by a client in a way."""

    library: Library
    client: Any
    way: str

    @property
    def is_async(self) -> bool:
        return self.way.startswith("async")

    @property
    def streams(self) -> bool:
        return self.way.endswith("stream")

    def start(self) -> Any:
        return self.library.call(self.client, self.way)

    async def astart(self) -> Any:
        answer = self.start()
        return await answer if isawaitable(answer) else answer


@dataclass(frozen=True)
class Act:
    """One thing a caller does, in a synchronous program and in an asynchronous one."""

    sync: Callable[[Call], object]
    asynchronous: Callable[[Call], Coroutine[Any, Any, object]]


def _whole(call: Call) -> object:
    answer = call.start()
    return [plain(each) for each in answer] if call.streams else plain(answer)


async def _awhole(call: Call) -> object:
    answer = await call.astart()
    return [plain(each) async for each in answer] if call.streams else plain(answer)


def _first(call: Call) -> tuple[Any, object]:
    stream = iter(call.start())
    return stream, plain(next(stream))


async def _afirst(call: Call) -> tuple[Any, object]:
    stream = aiter(await call.astart())
    return stream, plain(await anext(stream))


def _closed(call: Call) -> object:
    stream, first = _first(call)
    if hasattr(stream, "close"):
        stream.close()
    return [first]


async def _aclosed(call: Call) -> object:
    stream, first = await _afirst(call)
    close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
    if close is not None:
        await close()
    return [first]


def _dropped(call: Call) -> object:
    return [_first(call)[1]]


async def _adropped(call: Call) -> object:
    first = (await _afirst(call))[1]
    await _settle()
    return [first]


def _not_read(call: Call) -> object:
    return [type(call.start()).__name__]


async def _anot_read(call: Call) -> object:
    kind = type(await call.astart()).__name__
    await _settle()
    return [kind]


def _elsewhere(call: Call) -> object:
    stream, first = _first(call)
    held = [stream]
    del stream
    _collected_in_a_thread(held)
    return [first]


async def _aelsewhere(call: Call) -> object:
    stream, first = await _afirst(call)
    held = [stream]
    del stream
    await asyncio.to_thread(_collected_in_a_thread, held)
    await _settle()
    return [first]


def _collected_in_a_thread(held: list[Any]) -> None:
    def collect() -> None:
        held.clear()
        gc.collect()

    thread = threading.Thread(target=collect)
    thread.start()
    thread.join()


async def _settle() -> None:
    # The loop closes asynchronous generators that were collected.
    gc.collect()
    for _ in range(9):
        await asyncio.sleep(0)


async def _out_of_time(call: Call) -> object:
    return await asyncio.wait_for(_awhole(call), 0.1)


async def _at_every_await(call: Call) -> object:
    """How it ends, cancelled at its first, second, … await, until it has no more."""
    ended = []
    for at in range(_AWAITS):
        task = asyncio.ensure_future(_cancelled(_awhole(call), at))
        try:
            ended.append(str(await task))
        except BaseException as error:  # noqa: BLE001  (whatever it is)
            # Not what was handled meanwhile: when an answer arrives depends on the network.
            ended.append(type(error).__name__)
        if ended[-1] != "CancelledError":
            break
    await _settle()
    return sorted(set(ended))  # how often one waits for a network depends on it


@coroutine
def _cancelled(running: Coroutine[Any, Any, Any], at: int) -> Generator[Any, Any, Any]:
    sends: Callable[[Any], Any] = running.send
    value, awaits = None, 0
    while True:
        try:
            waits_for = sends(value)
        except StopIteration as stopped:
            return stopped.value
        if awaits == at:
            asyncio.current_task().cancel()  # type: ignore[union-attr]
        awaits += 1
        try:
            value, sends = (yield waits_for), running.send
        except BaseException as error:  # noqa: BLE001  (the task's, for the coroutine)
            value, sends = error, running.throw


def _many(call: Call) -> object:
    return [_whole(call) for _ in range(_TIMES)]


async def _amany(call: Call) -> object:
    return await asyncio.gather(*(_awhole(call) for _ in range(_TIMES)))


def _nothing(_: Call) -> object:
    raise NotImplementedError


WHOLE = Act(_whole, _awhole)
CLOSED = Act(_closed, _aclosed)
DROPPED = Act(_dropped, _adropped)
NOT_READ = Act(_not_read, _anot_read)
COLLECTED_ELSEWHERE = Act(_elsewhere, _aelsewhere)
OUT_OF_TIME = Act(_nothing, _out_of_time)
AT_EVERY_AWAIT = Act(_nothing, _at_every_await)
MANY = Act(_many, _amany)
