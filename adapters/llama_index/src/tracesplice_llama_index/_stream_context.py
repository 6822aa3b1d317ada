"""A stream belongs where it was asked for, whenever and wherever it is read.

LlamaIndex sends the request of a stream when its first part is read, and by then has left the span
that OpenInference made for the call. Of a structured stream even the model is only called then.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import wrapt
from llama_index.core.instrumentation.span import active_span_id
from opentelemetry import trace

from tracesplice.adapter import (
    afirst_read_in,
    current_observation,
    first_read_in,
    guarded,
    has_place,
    in_context,
    is_observed,
    is_stored,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

__all__ = ["astream", "stream"]


def stream(wrapped: Callable[..., Any], _owner: Any, args: Any, kwargs: Any) -> Any:
    """Wrap a method that returns a stream: its first part is read in the context of this moment."""
    parts = wrapped(*args, **kwargs)
    # It has one where the method called that of its base class: that context is the inner one.
    return parts if has_place(parts) else first_read_in(_place(), parts)


async def astream(wrapped: Callable[..., Any], _owner: Any, args: Any, kwargs: Any) -> Any:
    """Wrap an asynchronous method, as ``stream`` does a synchronous one."""
    parts = await wrapped(*args, **kwargs)
    return parts if has_place(parts) else afirst_read_in(_place(), parts)


def _place() -> AbstractContextManager[None]:
    return _stream_context() or nullcontext()


@guarded("the place of a LlamaIndex stream")
def _stream_context() -> AbstractContextManager[None]:
    """Return a context manager, for later, that makes current what is current now."""
    observation = _lasting(current_observation())
    context = trace.set_span_in_context(observation)
    # Where there is no observation now and there is one then, that is left as it is.
    return _entered(context, active_span_id.get(), unless_observed=not is_stored(observation))


@contextmanager
def _entered(
    context: Context, llama_index_span: str | None, *, unless_observed: bool
) -> Iterator[None]:
    if unless_observed and is_observed():
        yield
        return
    # OpenInference looks up the span at work by this variable of LlamaIndex's.
    before = active_span_id.get()
    try:
        # In here, and without a token: a program may be interrupted between any two lines.
        active_span_id.set(llama_index_span)
        with in_context(context):
            yield
    finally:
        # A coroutine may be closed elsewhere, in the middle of another request.
        if active_span_id.get() == llama_index_span:
            active_span_id.set(before)


def _lasting(span: Span) -> Span:
    # OpenInference makes a stand-in for its span current, and when LlamaIndex leaves the span it
    # turns the stand-in into the span around it: a context kept for later would change.
    # https://github.com/Arize-ai/openinference/tree/main/python/instrumentation/openinference-instrumentation-llama-index
    while isinstance(span, wrapt.ObjectProxy):
        span = span.__wrapped__
    return span
