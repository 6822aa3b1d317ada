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

import openai

from tracesplice.adapter import (
    as_current,
    current_observation,
    defining,
    guarded,
    span_of,
    unwrap_methods,
    when_imported,
    with_observation,
    wrap_methods,
)
from tracesplice_openai._sdk import sdk

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from opentelemetry.trace import Span

    from tracesplice.adapter import Wrapper

__all__ = ["forget_generations", "observe_generations", "take_generation"]

_MODULE = "langfuse.openai"
_span_of = guarded("the generation of langfuse.openai a call belongs to")(span_of)
# In a list, so that a generation taken in one context is taken in all that were copied from it.
_started: ContextVar[list[Any]] = ContextVar("tracesplice_langfuse_generation")
_observing = False


def observe_generations() -> None:
    """Note every generation ``langfuse.openai`` starts, now or once it is imported."""
    global _observing
    _observing = True
    if _MODULE in sys.modules:
        _wrap(sys.modules[_MODULE])
    when_imported(_MODULE, _wrap)


def forget_generations() -> None:
    """Undo ``observe_generations``, unless somebody set something over it."""
    global _observing
    _observing = False
    if _MODULE in sys.modules:
        for owner, name, _ in _wrappers(sys.modules[_MODULE]):
            unwrap_methods(owner, [name])


def _wrap(module: Any) -> None:
    if _observing:
        for owner, name, wrapper in _wrappers(module):
            wrap_methods(owner, {name: wrapper}, required=False)


def _wrappers(module: Any) -> tuple[tuple[Any, str, Wrapper], ...]:
    return (
        (module, "get_client", _get_client),
        (defining(openai.OpenAI, "request"), "request", _request),
        (defining(openai.AsyncOpenAI, "request"), "request", _arequest),
    )


def _request(wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
    generation, args, kwargs = _with_generation(client, args, kwargs) or (None, args, kwargs)
    try:
        return wrapped(*args, **kwargs)
    except Exception:
        raise
    except BaseException as error:
        _end(generation, error)
        raise


async def _arequest(wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
    generation, args, kwargs = _with_generation(client, args, kwargs) or (None, args, kwargs)
    try:
        return await wrapped(*args, **kwargs)
    except Exception:
        raise
    except BaseException as error:
        _end(generation, error)
        raise


@guarded("the generation of langfuse.openai a call belongs to")
def _with_generation(
    client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, tuple[Any, ...], dict[str, Any]] | None:
    """Put the generation that ``langfuse.openai`` made for a call into the call's options.

    Args:
        client: The client that makes the call.
        args: The arguments of its ``request``.
        kwargs: Its keyword arguments.

    Returns:
        The generation, and the arguments with a copy of the options; None where they stay as they
        are.
    """
    # Taken for every client, so that no other call finds it.
    generation = _take()
    span = None if generation is None else _span_of(generation)
    if span is None or not sdk.gateways_of(client):
        return None
    return generation, *with_observation(args, kwargs, span)


@guarded("the end of a generation of langfuse.openai")
def _end(generation: Any, error: BaseException) -> None:
    """End the generation of a call that was cancelled; ``langfuse.openai`` ends it after errors."""
    if generation is not None:
        said = str(error) or type(error).__name__
        generation.update(level="ERROR", status_message=said, cost_details={"total": 0}).end()


def take_generation() -> Span | None:
    """Return the span of the generation started for the call that is being made in this context.

    A generation is handed out once: it belongs to one call, and calls that ``langfuse.openai`` does
    not trace must not find the one of a stream that is still open.
    """
    generation = _take()
    return None if generation is None else _span_of(generation)


def _take() -> Any:
    try:
        return _started.get([]).pop()
    except IndexError:  # there is none, or another thread was quicker
        return None


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
    return as_current(current_observation())


def _get_client(wrapped: Callable[..., Any], _instance: object, args: Any, kwargs: Any) -> Any:
    return _ObservedClient(wrapped(*args, **kwargs))
