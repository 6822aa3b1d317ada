"""Reads a stream where it belongs.

LangChain's streams are lazy: the run starts and the request goes out when the first chunk is read.
That may be after the span it was asked for in was left, as in a web framework that reads a response
later. Where nothing that Langfuse stores is at work then, what was when the stream was asked for
counts, user and session included.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry import trace

from tracesplice.adapter import (
    Link,
    afirst_read_in,
    capture_link,
    current_observation,
    guarded,
    is_stored,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextvars import Context

__all__ = ["astream_from_here", "stream_from_here"]

_END = object()


def stream_from_here(chunks: Any) -> Any:
    """Return ``chunks``, to be read as if here where they are read outside of any observation."""
    return _read_in(copy_context(), chunks) if _is_somewhere() else chunks


def astream_from_here(chunks: Any) -> Any:
    """Return asynchronous ``chunks``, as ``stream_from_here`` does synchronous ones."""
    return afirst_read_in(_as_asked(_asked_here()), chunks) if _is_somewhere() else chunks


@guarded("the place a stream was asked for in")
def _is_somewhere() -> bool:
    return capture_link() != Link()


@guarded("the place a stream is read in")
def _is_in_observation() -> bool:
    return is_stored(current_observation())


def _read_in(asked: Context, chunks: Any) -> Iterator[Any]:
    if _is_in_observation():
        yield from chunks
        return
    # Every step, because Langfuse's handler makes its run current with the first and takes that
    # back with the last.
    stream = asked.run(iter, chunks)
    try:
        while (chunk := asked.run(next, stream, _END)) is not _END:
            yield chunk
    finally:
        if hasattr(stream, "close"):
            asked.run(stream.close)


def _asked_here() -> otel_context.Context:
    # With the run at work, too, of which LangChain alone knows.
    return trace.set_span_in_context(current_observation())


@contextmanager
def _as_asked(asked: otel_context.Context) -> Iterator[None]:
    if _is_in_observation():
        yield
        return
    token = otel_context.attach(asked)
    try:
        yield
    finally:
        otel_context.detach(token)
