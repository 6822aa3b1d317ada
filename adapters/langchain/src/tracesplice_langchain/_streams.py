"""Reads a stream where it belongs.

LangChain's streams are lazy: the run starts and the request goes out when the first chunk is read.
That may be after the span it was asked for in was left, as in a web framework that reads a response
later. Where nothing is current then, what was current when the stream was asked for counts.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry import trace

from tracesplice.adapter import afirst_read_in

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator

__all__ = ["astream_from_here", "stream_from_here"]

_END = object()


def stream_from_here(chunks: Generator[Any, None, None]) -> Iterator[Any]:
    """Return ``chunks``, to be read as if here unless a span is current where they are read."""
    return _read_in(copy_context(), chunks) if _is_span_current() else chunks


def astream_from_here(chunks: AsyncGenerator[Any, None]) -> AsyncIterator[Any]:
    """Return ``chunks``, to be read as if here unless a span is current where they are read."""
    if not _is_span_current():
        return chunks
    asked = _current_if_none_is(otel_context.get_current())
    stream: AsyncIterator[Any] = afirst_read_in(asked, chunks)
    return stream


def _is_span_current() -> bool:
    return trace.get_current_span().get_span_context().is_valid


def _read_in(asked: Context, chunks: Generator[Any, None, None]) -> Iterator[Any]:
    if _is_span_current():
        yield from chunks
        return
    # Every step, because Langfuse's handler makes its run current with the first and takes that
    # back with the last.
    try:
        while (chunk := asked.run(next, chunks, _END)) is not _END:
            yield chunk
    finally:
        asked.run(chunks.close)


@contextmanager
def _current_if_none_is(asked: Any) -> Iterator[None]:
    if _is_span_current():
        yield
        return
    token = otel_context.attach(asked)
    try:
        yield
    finally:
        otel_context.detach(token)
