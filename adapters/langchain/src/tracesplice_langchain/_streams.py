"""The wrappers of the methods by which LangChain streams.

``stream`` and ``astream`` are lazy: they start the run, and ask the model by ``_stream`` or
``_astream`` of its own class, when the first chunk is read. That may be after the span that the
stream was asked for in was left, as in a web framework that reads a response later. Where nothing
that Langfuse stores is at work then, what was when the stream was asked for counts, user and
session included.

They do not tell ``_stream`` the run, which they start right before by ``on_chat_model_start``
(https://github.com/langchain-ai/langchain/blob/master/libs/core/langchain_core/language_models/chat_models.py).
"""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry import trace

from tracesplice.adapter import (
    afirst_read_in,
    current_observation,
    first_read_in,
    guarded,
    in_context,
    is_observed,
)
from tracesplice_langchain._runs import as_run, note_run, run_at_work, run_for, take_run
from tracesplice_openai import carries_links

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from opentelemetry.context import Context

    Method = Callable[..., Any]

__all__ = ["aread_in_run", "astream", "on_astart", "on_start", "read_in_run", "stream"]

_END = object()


def stream(wrapped: Method, model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap ``stream``: it is read as if here where there is no observation around."""
    chunks, asked = wrapped(*args, **kwargs), _asked_here(model)
    return chunks if asked is None else _read_as(asked, copy_context(), chunks)


def astream(wrapped: Method, model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap ``astream``, as ``stream``."""
    chunks, asked = wrapped(*args, **kwargs), _asked_here(model)
    if asked is None:
        return chunks
    return afirst_read_in(in_context(asked, unless_observed=True), chunks)


@guarded("the place a stream was asked for in")
def _asked_here(model: Any) -> Context | None:
    context = otel_context.get_current()
    if not (context or run_at_work()) or not carries_links(model, unseen=True):
        return None
    observation = current_observation()
    if context and observation is trace.get_current_span():
        return context
    # The run at work is known to LangChain alone.
    return trace.set_span_in_context(observation)


def _read_as(asked: Context, here: contextvars.Context, chunks: Any) -> Iterator[Any]:
    if otel_context.get_current() is asked or is_observed():
        yield from chunks
        return
    here.run(otel_context.attach, asked)
    # Every step, because Langfuse's handler makes its run current with the first and takes that
    # back with the last.
    stream = here.run(iter, chunks)
    try:
        while (chunk := here.run(next, stream, _END)) is not _END:
            yield chunk
    finally:
        if hasattr(stream, "close"):
            here.run(stream.close)


def read_in_run(wrapped: Method, model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap ``_stream``: its request belongs to the run that it is told or that was noted."""
    chunks, run = wrapped(*args, **kwargs), _run(model, args, kwargs)
    return chunks if run is None else first_read_in(run, chunks)


def aread_in_run(wrapped: Method, model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap ``_astream``, as ``_stream``."""
    chunks, run = wrapped(*args, **kwargs), _run(model, args, kwargs)
    return chunks if run is None else afirst_read_in(run, chunks)


@guarded("the LangChain run a call belongs to")
def _run(model: Any, args: Any, kwargs: Any) -> AbstractContextManager[Any] | None:
    run = run_for(args, kwargs) or take_run()
    return as_run(run, run.run_id) if run and carries_links(model, unseen=True) else None


def on_start(wrapped: Method, _manager: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the method by which a chat model's run is started."""
    runs = wrapped(*args, **kwargs)
    _note(runs)
    return runs


async def on_astart(wrapped: Method, _manager: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the method by which a chat model's run is started in asynchronous calls."""
    runs = await wrapped(*args, **kwargs)
    _note(runs)
    return runs


@guarded("the LangChain run a call belongs to")
def _note(runs: list[Any]) -> None:
    # A stream has one; of several inputs each is told its own.
    for run in runs:
        note_run(run)
