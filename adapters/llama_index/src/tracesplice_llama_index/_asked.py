"""The moment a stream is asked for: what its request belongs to, whenever the stream is read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import wrapt
from opentelemetry import context as otel_context
from opentelemetry import trace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from opentelemetry.context import Context

__all__ = ["as_asked_here"]


def as_asked_here() -> AbstractContextManager[None]:
    """Return a context manager, for later, that makes current what is current now.

    Where nothing is current now and something is then, it leaves that.
    """
    return _current(_lasting(otel_context.get_current()))


@contextmanager
def _current(asked: Context) -> Iterator[None]:
    if _has_span(otel_context.get_current()) and not _has_span(asked):
        yield
        return
    token = otel_context.attach(asked)
    try:
        yield
    finally:
        otel_context.detach(token)


def _lasting(context: Context) -> Context:
    # OpenInference makes a stand-in for its span current, and when LlamaIndex leaves the span it
    # turns the stand-in into the span around it: a context kept for later would change.
    # https://github.com/Arize-ai/openinference/tree/main/python/instrumentation/openinference-instrumentation-llama-index
    span = trace.get_current_span(context)
    while isinstance(span, wrapt.ObjectProxy):
        span = span.__wrapped__
    return trace.set_span_in_context(span, context)


def _has_span(context: Context) -> bool:
    return trace.get_current_span(context).get_span_context().is_valid
