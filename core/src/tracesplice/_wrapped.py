"""``wrap``: a function that goes on, wherever it is called, from where it was wrapped."""

from __future__ import annotations

import inspect
import os
import secrets
import sys
import time
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import contextmanager, nullcontext
from functools import update_wrapper
from operator import attrgetter
from types import MethodType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from opentelemetry import context as otel_context
from opentelemetry import trace

from tracesplice._carrier import capture, resume
from tracesplice._contexts import in_context
from tracesplice._errors import TracespliceError
from tracesplice._flushing import aflush_observations, flush_observations
from tracesplice._here import ambient
from tracesplice._observation import nearest_stored
from tracesplice._steps import asteps, steps
from tracesplice_wire import guarded, shown_kind, warn_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.context import Context

__all__ = ["Wrapped", "wrap"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

_RUNS_LATER = (Coroutine, Generator, AsyncGenerator)
# A fork has it as well, and on another machine, or in another container, a process may have the
# same id.
_STARTED = secrets.token_hex(8)


def wrap(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Make ``function`` go on from here, wherever it is called.

    For what runs it without the context of this place: ``executor.submit(tracesplice.wrap(work))``,
    ``threading.Thread(target=...)``, ``loop.run_in_executor``, process pools. What its calls belong
    to is captured now, and holds for each call of what is returned. So wrap where work is handed
    out, in each request, not where the function is defined. Inside an observation of the same trace
    that began later, a call belongs to that; where no trace was open, inside one that began later
    and has the same user, session and so on. In another process, the observations that it made are
    sent before it returns.

    Args:
        function: Any callable, also one that returns a coroutine or a generator: these run in this
            place then. What is returned can be pickled if it can.

    Raises:
        TracespliceError: It cannot be called.
    """
    if not callable(function):
        raise TracespliceError(
            f"{shown_kind(function)} cannot be called. Pass the function, and its arguments to "
            "what calls it: executor.submit(tracesplice.wrap(work), argument)."
        )
    wrapped = Wrapped(function, capture(), _this_process(), time.time_ns())
    if wrapped.is_empty:
        warn_once(
            "wrap:nothing",
            "tracesplice: wrap() was called where no observation is open, so there is nothing to "
            "go on from. Call it where work is handed out: executor.submit(tracesplice.wrap(f)).",
        )
    return cast("Callable[_P, _T]", wrapped)


class Wrapped:
    """A function, and the place it belongs to.

    Args:
        function: The function.
        carrier: What was captured of the place.
        process: In which process that was.
        since: When, in nanoseconds.
    """

    def __init__(
        self, function: Callable[..., Any], carrier: dict[str, str], process: str, since: int
    ) -> None:
        update_wrapper(self, function, updated=())
        self._parts = function, carrier, process, since
        self._resumed = resume(carrier)
        if inspect.iscoroutinefunction(function):
            _mark_coroutine_function(self)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was captured."""
        return self._resumed.is_empty

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = None
        try:
            with self._place():
                result = self._parts[0](*args, **kwargs)
        finally:
            if not isinstance(result, _RUNS_LATER) and self._is_elsewhere():
                flush_observations()
        if isinstance(result, Coroutine):
            return self._awaited(result)
        if isinstance(result, Generator):
            return steps(self._flushed_place, result)
        if isinstance(result, AsyncGenerator):
            return asteps(self._place, result, after=self._aflush)
        return result

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> Any:
        # As a decorator it stands in the function's place, by whose name it is found again.
        name = getattr(self, "__qualname__", "")
        try:
            found = attrgetter(name)(sys.modules[self.__module__])
        except (AttributeError, KeyError):
            found = None
        return name if found is self else (Wrapped, self._parts)

    def __repr__(self) -> str:
        return f"tracesplice.wrap({self._parts[0]!r})"

    async def _awaited(self, result: Coroutine[Any, Any, Any]) -> Any:
        try:
            with self._place():
                found = await result
        except GeneratorExit:
            if self._is_elsewhere():
                flush_observations()  # nothing can be awaited any more
            raise
        except BaseException:
            await self._aflush()
            raise
        await self._aflush()
        return found

    @contextmanager
    def _place(self) -> Iterator[None]:
        context = self._context()
        with nullcontext() if context is None else in_context(context):
            yield

    @contextmanager
    def _flushed_place(self) -> Iterator[None]:
        try:
            with self._place():
                yield
        finally:
            if self._is_elsewhere():
                flush_observations()

    async def _aflush(self) -> None:
        if self._is_elsewhere():
            await aflush_observations()

    def _is_elsewhere(self) -> bool:
        return _this_process() != self._parts[2]

    @guarded("the place that a function was wrapped in")
    def _context(self) -> Context | None:
        """Return the context of the place, None where a call is inside it already."""
        if self.is_empty or (not self._is_elsewhere() and self._is_inside()):
            return None
        return self._resumed.context()

    @guarded("observations inside the place that a function was wrapped in")
    def _is_inside(self) -> bool:
        """Return whether this is the place itself, or an observation that began in it since."""
        link = self._resumed.link
        span: Any = trace.get_current_span()
        context = span.get_span_context()
        if not context.is_valid:
            return False
        began = getattr(span, "start_time", None)
        is_later = isinstance(began, int) and began >= self._parts[3]
        if link.trace_id is None:
            return is_later and self._is_ambient()
        if trace.format_trace_id(context.trace_id) != link.trace_id:
            return False
        # Web frameworks run what is handed to them in a span of their own, in the same trace.
        is_later = is_later and nearest_stored(span) is not None
        return is_later or trace.format_span_id(context.span_id) == link.parent_id

    def _is_ambient(self) -> bool:
        """Return whether what is ambient here is what was ambient in the place."""
        return ambient(otel_context.get_current()) == ambient(self._resumed.context())


def _this_process() -> str:
    return f"{os.getpid()}-{_STARTED}"


def _mark_coroutine_function(wrapped: Any) -> None:
    # Frameworks ask whether they have to await.
    mark = getattr(inspect, "markcoroutinefunction", None)  # from Python 3.12 on
    if mark is not None:
        mark(wrapped)
    else:
        import asyncio

        wrapped._is_coroutine = getattr(asyncio.coroutines, "_is_coroutine", None)
