"""Knows the observation around a call, which spans of the SDK's own may hide.

From 2.0 on the SDK makes a span current around each call, around a tool runner and around each tool
(https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/_tracing.py). That of a
call most often is the call's own observation. But where Langfuse has a provider of its own, and
OpenTelemetry's global one is not set up, they have the ids of the span around them and say nothing;
and what is around them may be linked to the call's prompt. OpenTelemetry gives no way from a span
to the one around it.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import anthropic
from opentelemetry import trace

from tracesplice.adapter import (
    as_current,
    current_observation,
    defining,
    guarded,
    unwrap_methods,
    with_observation,
    wrap_methods,
)
from tracesplice_anthropic._instrumentations import take_span

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tracesplice.adapter import ClientSdk, Wrapper

    Arguments = tuple[tuple[Any, ...], dict[str, Any]]

__all__ = ["Around"]


class Around:
    """Notes what is around each call of an SDK's clients, in the options of the call."""

    def __init__(self, sdk: ClientSdk) -> None:
        self._sdk = sdk
        self._said: WeakValueDictionary[int, trace.Span] = WeakValueDictionary()
        self._wrappers: tuple[tuple[type, str, Wrapper], ...] = (
            (defining(anthropic.Anthropic, "request"), "request", self._request),
            (defining(anthropic.AsyncAnthropic, "request"), "request", self._arequest),
            *((runner, _START, self._start) for runner in _tool_runners()),
        )

    def wrap(self) -> None:
        """Wrap the methods that calls begin with; twice is once."""
        for owner, name, wrapper in self._wrappers:
            wrap_methods(owner, {name: wrapper})

    def unwrap(self) -> None:
        """Undo ``wrap``."""
        for owner, name, _ in self._wrappers:
            unwrap_methods(owner, [name])

    def _request(self, wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
        (args, kwargs), place = self._noted(client, args, kwargs) or ((args, kwargs), nullcontext())
        with place:
            return wrapped(*args, **kwargs)

    async def _arequest(
        self, wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any
    ) -> Any:
        (args, kwargs), place = self._noted(client, args, kwargs) or ((args, kwargs), nullcontext())
        with place:
            return await wrapped(*args, **kwargs)

    def _start(self, wrapped: Callable[..., Any], _runner: Any, args: Any, kwargs: Any) -> Any:
        self._note_span(trace.get_current_span())
        return wrapped(*args, **kwargs)

    @guarded("the observation around a call")
    def _noted(
        self, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Arguments, AbstractContextManager[object]] | None:
        begun = take_span()  # for every client, so that no other call finds it
        if not self._sdk.gateways_of(client):
            return None
        current = trace.get_current_span()
        around = begun or current_observation()
        # A framework's may not be current, and the SDK's own span is to begin in it.
        place = nullcontext() if around is current else as_current(around)
        if not around.is_recording():
            around = self._said.get(around.get_span_context().span_id, around)
        return with_observation(args, kwargs, around), place

    @guarded("the observation around a tool runner")
    def _note_span(self, span: trace.Span) -> None:
        if span.is_recording():
            self._said[span.get_span_context().span_id] = span


_START = "_start_tool_runner_span"


def _tool_runners() -> list[type]:
    """Return the class of tool runners, where they have spans."""
    from anthropic.lib import tools

    runner: Any = getattr(tools, "BetaToolRunner", None)
    owner = None if runner is None else defining(runner, _START)
    return [owner] if owner is not None and _START in vars(owner) else []
