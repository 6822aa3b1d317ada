"""What runs in a worker: a task, in the place that it was called in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextvars import ContextVar
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from tracesplice.adapter import (
    aflush_observations,
    asteps,
    flush_observations,
    guarded,
    resume_text,
    steps,
)
from tracesplice_ray._carrying import CARRIER
from tracesplice_ray._install import install

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    Function = Callable[..., Any]
    Place = AbstractContextManager[None]

__all__ = ["acall", "call"]

_at_work: ContextVar[bool] = ContextVar("tracesplice_at_work", default=False)


def call(function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call ``function`` in the place that the task belongs to; then send what was observed.

    Args:
        function: What the task runs. A generator that it returns is read in that place, too.
        args: Its arguments, and the carrier where there is one.
        kwargs: Its arguments by keyword.
    """
    carrier, args = _taken_off(args)
    if carrier is None and _at_work.get():
        return function(*args, **kwargs)  # an actor's method that the task calls itself
    with _Task(carrier):
        result = function(*args, **kwargs)
    if isinstance(result, Generator):
        return steps(partial(_Task, carrier), result)
    if isinstance(result, AsyncGenerator):
        place = partial(_Task, carrier, flushes=False)
        return asteps(place, result, after=aflush_observations)
    return result


async def acall(function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call and await ``function``, as ``call`` does a synchronous one."""
    carrier, args = _taken_off(args)
    if carrier is None and _at_work.get():
        return await function(*args, **kwargs)
    try:
        with _Task(carrier, flushes=False):
            result = await function(*args, **kwargs)
    except GeneratorExit:
        flush_observations()  # nothing can be awaited any more
        raise
    except BaseException:
        await aflush_observations()
        raise
    await aflush_observations()
    return result


class _Task:
    """The place that a task belongs to.

    Args:
        carrier: Where that is; None if nothing was current there.
        flushes: Whether what was observed is sent at the end.
    """

    def __init__(self, carrier: bytes | None, *, flushes: bool = True) -> None:
        self._place = None if carrier is None else _place(carrier)
        self._flushes = flushes

    def __enter__(self) -> None:
        _installed()
        _at_work.set(True)
        if self._place is not None:
            self._place.__enter__()

    def __exit__(self, *error: Any) -> None:
        if self._place is not None:
            self._place.__exit__(*error)
        _at_work.set(False)
        if self._flushes:
            flush_observations()


def _taken_off(args: tuple[Any, ...]) -> tuple[bytes | None, tuple[Any, ...]]:
    last = args[-1] if args else None
    if type(last) is bytes and last.startswith(CARRIER):
        return last, args[:-1]
    return None, args


@lru_cache(maxsize=1)
@guarded("the place of what a Ray task hands out")
def _installed() -> None:
    # What this task hands out goes on here, too.
    install()


@guarded("the place that a Ray task belongs to")
def _place(carrier: bytes) -> Place:
    return resume_text(str(carrier[len(CARRIER) :], "utf-8"))
