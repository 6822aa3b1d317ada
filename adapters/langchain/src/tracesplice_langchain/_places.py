"""Where the requests of LangChain's models belong: what to make current around a method.

Each function gets the model and the arguments of the method, among which may be any name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice.adapter import guarded, is_instrumented, nothing_used
from tracesplice_langchain._clients import has_spliced_client
from tracesplice_langchain._current import current, enclosing
from tracesplice_langchain._handlers import span_of_run
from tracesplice_langchain._runs import note_run, take_run

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = ["note_no_request", "of_batch", "of_call", "of_enclosing", "of_stream"]


def of_call(
    _model: Any,
    /,
    _messages: Any = None,
    _stop: Any = None,
    run_manager: Any = None,
    *_: Any,
    **__: Any,
) -> AbstractContextManager[None]:
    """Of the call that a chat model is about to be asked for."""
    note_run(run_manager)
    return current(run_manager)


def of_batch(
    model: Any,
    /,
    _prompts: Any = None,
    _stop: Any = None,
    run_managers: Any = (),
    *_: Any,
    **__: Any,
) -> AbstractContextManager[None]:
    """Of the one request that a completion model makes for all its inputs."""
    # LangChain tells the model the first run alone. The others are reported without usage, and
    # Langfuse would count their tokens itself.
    first, *others = run_managers or (None,)
    note_no_request(model, *others)
    return current(first)


def of_stream(
    _model: Any,
    /,
    _messages: Any = None,
    _stop: Any = None,
    run_manager: Any = None,
    *_: Any,
    **__: Any,
) -> AbstractContextManager[None]:
    """Of the request of a stream, which is told its run or finds it noted."""
    return current(run_manager or take_run())


def of_enclosing(*_: Any, **__: Any) -> AbstractContextManager[None]:
    """Of the runnable around, for runs that may have no parent."""
    return enclosing()


@guarded("the zero usage of a run that makes no request")
def note_no_request(model: Any, *runs: Any) -> None:
    """Note that ``runs`` of a linked model make no request of their own."""
    if is_instrumented() or has_spliced_client(model):
        for run in filter(None, runs):
            span = span_of_run(run.handlers, run.run_id)
            if span is not None:
                nothing_used(span)
