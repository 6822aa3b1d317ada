"""Finds the generation that ``langfuse.openai`` made for a call.

``langfuse.openai`` starts its generation without making it the current span, so nothing public says
which one belongs to the request that is about to be sent
(https://github.com/langfuse/langfuse-python/blob/main/langfuse/openai.py, ``_wrap``). It asks the
name ``get_client`` of its own module for the Langfuse client; that answer is wrapped here to note
the generation in the caller's context. Where Langfuse changes this, a call belongs to the enclosing
span again: ``tests/unit/test_langfuse_openai.py`` fails then.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import wrapt
from opentelemetry import trace

from tracesplice.adapter import current_observation, guarded, span_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from opentelemetry.trace import Span

    FunctionWrapper = wrapt.FunctionWrapper[Any, Any]
else:
    FunctionWrapper = wrapt.FunctionWrapper  # not generic at run time

__all__ = ["forget_generations", "observe_generations", "take_generation"]

_MODULE = "langfuse.openai"
_span_of = guarded("the generation of langfuse.openai a call belongs to")(span_of)
# In a list, so that a generation taken in one context is taken in all that were copied from it.
_started: ContextVar[list[Any]] = ContextVar("tracesplice_langfuse_generation")
_observing = False
_hooked = False


def observe_generations() -> None:
    """Note every generation ``langfuse.openai`` starts, now or once it is imported."""
    global _hooked, _observing
    _observing = True
    if _hooked:
        _wrap_get_client(sys.modules.get(_MODULE))
    else:
        _hooked = True
        wrapt.register_post_import_hook(_wrap_get_client, _MODULE)


def forget_generations() -> None:
    """Undo ``observe_generations``, unless somebody set something over it."""
    global _observing
    _observing = False
    module = sys.modules.get(_MODULE)
    ours = getattr(module, "get_client", None)
    if type(ours) is _GetClient:
        module.get_client = ours.__wrapped__  # type: ignore[union-attr]


def take_generation() -> Span | None:
    """Return the span of the generation started for the call that is being made in this context.

    A generation is handed out once: it belongs to one call, and calls that ``langfuse.openai`` does
    not trace must not find the one of a stream that is still open.
    """
    started = _started.get(None)
    if not started:
        return None
    try:
        generation = started.pop()
    except IndexError:  # another thread was quicker
        return None
    return _span_of(generation)


class _ObservedClient:
    """A Langfuse client that notes the observations started through it."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def start_observation(self, *args: Any, **kwargs: Any) -> Any:
        with _under_observation() or nullcontext():
            observation = self._client.start_observation(*args, **kwargs)
        _started.set([observation])
        return observation


@guarded("the place of a generation of langfuse.openai")
def _under_observation() -> AbstractContextManager[object]:
    # Langfuse looks for the parent in OpenTelemetry's context only.
    return trace.use_span(
        current_observation(), record_exception=False, set_status_on_exception=False
    )


class _GetClient(FunctionWrapper):
    """Our ``get_client``; ``type()`` tells it from what somebody set over it."""


def _wrap_get_client(module: Any) -> None:
    plain = getattr(module, "get_client", None)
    if _observing and plain is not None and type(plain) is not _GetClient:
        module.get_client = _GetClient(plain, _get_client)


def _get_client(wrapped: Callable[..., Any], _instance: object, args: Any, kwargs: Any) -> Any:
    return _ObservedClient(wrapped(*args, **kwargs))
