"""The wrappers of the methods by which LangChain asks a model for whole answers.

``generate`` and ``agenerate`` start the runs, and ask a chat model by ``_generate_with_cache``, run
by run. A completion model they ask by ``_generate_helper``, which tells all runs that they have
ended, too; so it is the request itself, ``_generate`` of the model's class, that belongs to a run.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from tracesplice.adapter import guarded, is_stored, nothing_used
from tracesplice_langchain._handlers import handlers_of_run, span_of_run
from tracesplice_langchain._runs import as_run, note_run, run_at_work, run_for, take_run
from tracesplice_openai import carries_links

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    Method = Callable[..., Any]
    Block = AbstractContextManager[Any]

__all__ = ["ain_run", "ain_run_around", "from_cache", "in_run", "in_run_around", "of_batch"]


def in_run(wrapped: Method, model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap what asks a model within a run that it is told or that was noted."""
    with _run(model, args, kwargs) or nullcontext():
        return wrapped(*args, **kwargs)


async def ain_run(wrapped: Method, model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap an asynchronous method, as ``in_run``."""
    with _run(model, args, kwargs) or nullcontext():
        return await wrapped(*args, **kwargs)


async def ain_chat_run(wrapped: Method, model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap that of chat models, as ``ain_run``; a run that is cancelled ends."""
    run = run_for(args, kwargs)
    try:
        return await ain_run(wrapped, model, args, kwargs)
    except Exception:
        raise
    except BaseException as error:
        _tell_cancelled(model, run, error)
        raise


@guarded("the end of a LangChain run that was cancelled")
def _tell_cancelled(model: Any, run: Any, error: BaseException) -> None:
    # LangChain tells no handler where a task is cancelled that waits for a chat model. The
    # observation of the run would not end, and Langfuse not get it.
    if run is not None and carries_links(model, unseen=True):
        for handler in handlers_of_run(run.handlers, run.run_id):
            handler.on_llm_error(error, run_id=run.run_id, parent_run_id=run.parent_run_id)


@guarded("the LangChain run a call belongs to")
def _run(model: Any, args: Any, kwargs: Any) -> Block | None:
    run = run_for(args, kwargs) or take_run()
    note_run(run)  # for `_stream`, which LangChain may ask for the answer, and for `from_cache`
    return as_run(run, run.run_id) if run and carries_links(model, unseen=True) else None


def in_run_around(wrapped: Method, model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap what starts a model's runs: they may have no parent, inside a runnable."""
    with _run_around(model) or nullcontext():
        return wrapped(*args, **kwargs)


async def ain_run_around(wrapped: Method, model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap an asynchronous method, as ``in_run_around``."""
    with _run_around(model) or nullcontext():
        return await wrapped(*args, **kwargs)


@guarded("the LangChain run a call belongs to")
def _run_around(model: Any) -> Block | None:
    run = run_at_work()
    if run is None or is_stored(trace.get_current_span()):
        return None
    return as_run(run, run.parent_run_id) if carries_links(model, unseen=True) else None


def from_cache(wrapped: Method, model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap what makes an answer of one in LangChain's cache, with the tokens of the first."""
    _no_request(model, take_run())
    return wrapped(*args, **kwargs)


def of_batch(wrapped: Method, model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the method, asynchronous or not, by which a completion model is asked for all inputs."""
    _note_batch(model, *(run_for(args, kwargs, "run_managers") or (None,)))
    return wrapped(*args, **kwargs)


@guarded("the LangChain run a call belongs to")
def _note_batch(model: Any, first: Any, *others: Any) -> None:
    # It is one request, of which the model is told the first run. The others are reported without
    # usage, and Langfuse would count their tokens itself.
    note_run(first)
    for run in others:
        _no_request(model, run)


@guarded("the zero usage of a run that makes no request")
def _no_request(model: Any, run: Any) -> None:
    if run is not None and carries_links(model, unseen=False):
        span = span_of_run(run.handlers, run.run_id)
        if span is not None:
            nothing_used(span)
