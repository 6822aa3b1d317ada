"""Finds the generation that ``langfuse.openai`` made for a call.

``langfuse.openai`` starts its generation without making it the current span, so nothing public says
which one belongs to the request that is about to be sent
(https://github.com/langfuse/langfuse-python/blob/main/langfuse/openai.py, ``_wrap``). It asks the
name ``get_client`` of its own module for the Langfuse client; that answer is wrapped here to note
the generation in the caller's context. Where Langfuse changes this, a call belongs to the enclosing
span again: ``tests/unit/test_langfuse_openai.py`` fails then.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import wrapt
from opentelemetry import trace

from tracesplice.adapter import guarded

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["observe_generations", "take_generation"]

_MODULE = "langfuse.openai"
_started: ContextVar[Any] = ContextVar("tracesplice_langfuse_generation", default=None)
_observing = False


def observe_generations() -> None:
    """Note every generation ``langfuse.openai`` starts, now or once it is imported."""
    global _observing
    if not _observing:
        _observing = True
        wrapt.register_post_import_hook(_wrap_get_client, _MODULE)


def take_generation() -> trace.Span | None:
    """Return the span of the generation started for the call that is being made in this context.

    A generation is handed out once: it belongs to one call, and calls that ``langfuse.openai`` does
    not trace must not find the one of a stream that is still open.
    """
    generation = _started.get()
    if generation is None:
        return None
    _started.set(None)
    return _span(generation)


class _ObservedClient:
    """A Langfuse client that notes the observations started through it."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def start_observation(self, *args: Any, **kwargs: Any) -> Any:
        observation = self._client.start_observation(*args, **kwargs)
        _started.set(observation)
        return observation


def _wrap_get_client(module: Any) -> None:
    if hasattr(module, "get_client"):
        wrapt.wrap_function_wrapper(module, "get_client", _get_client)


def _get_client(wrapped: Callable[..., Any], _instance: object, args: Any, kwargs: Any) -> Any:
    return _ObservedClient(wrapped(*args, **kwargs))


@guarded("the generation of langfuse.openai a call belongs to")
def _span(generation: Any) -> trace.Span | None:
    # The wrapped span is private, and the only way to its attributes (prompt) and flags; the ids
    # are public and enough to nest under.
    span = getattr(generation, "_otel_span", None)
    if not isinstance(span, trace.Span):
        span = _span_of_ids(generation.trace_id, generation.id)
    elif not span.is_recording():
        return None  # ended, not sampled, or tracing is off
    return span


def _span_of_ids(trace_id: str, span_id: str) -> trace.Span:
    return trace.NonRecordingSpan(
        trace.SpanContext(
            int(trace_id, 16),
            int(span_id, 16),
            is_remote=False,
            trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
        )
    )
