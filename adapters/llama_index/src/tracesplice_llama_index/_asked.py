"""The moment a stream is asked for: what its request belongs to, whenever the stream is read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import wrapt
from llama_index.core.instrumentation.span import active_span_id
from opentelemetry import context as otel_context
from opentelemetry import trace

from tracesplice.adapter import current_observation, is_stored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

__all__ = ["as_asked_here"]


def as_asked_here() -> AbstractContextManager[None]:
    """Return a context manager, for later, that makes current what is current now.

    Where there is no observation now and there is one then, it leaves that.
    """
    observation = _lasting(current_observation())
    context = trace.set_span_in_context(observation, otel_context.get_current())
    return _current(context, active_span_id.get(), is_observation=is_stored(observation))


@contextmanager
def _current(
    asked: Context, llama_index_span: str | None, *, is_observation: bool
) -> Iterator[None]:
    if not is_observation and is_stored(current_observation()):
        yield
        return
    # LlamaIndex's own variable too: by it OpenInference says what is at work where it is read.
    own = active_span_id.set(llama_index_span)
    token = otel_context.attach(asked)
    try:
        yield
    finally:
        otel_context.detach(token)
        active_span_id.reset(own)


def _lasting(span: Span) -> Span:
    # OpenInference makes a stand-in for its span current, and when LlamaIndex leaves the span it
    # turns the stand-in into the span around it: a context kept for later would change.
    # https://github.com/Arize-ai/openinference/tree/main/python/instrumentation/openinference-instrumentation-llama-index
    while isinstance(span, wrapt.ObjectProxy):
        span = span.__wrapped__
    return span
