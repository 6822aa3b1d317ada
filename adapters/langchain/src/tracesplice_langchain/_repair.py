"""Makes the run that sends a request current while it does so.

LangChain calls a chat model's ``_generate``, ``_agenerate``, ``_stream`` or ``_astream`` for a run
(https://docs.langchain.com/oss/python/contributing/implement-langchain: what a chat model
implements). What is current at that moment is something else when

- the call is asynchronous: LangChain runs Langfuse's handler in a thread, and what the handler
  makes current stays in there;
- ``generate`` has several inputs: all runs start before the first request, and the last one is
  current;
- the handler makes nothing current, as OpenInference's.

Where nothing at all is current, a stream belongs where it was asked for (see ``_streams``), and a
call is part of the runnable that makes it, if it is

- no run of its own: LangChain has none for embeddings;
- a run without a parent: ``with_fallbacks`` does not pass its own run on to the models it invokes.

Each has its test in ``tests/conformance/test_langchain_repairs.py``, which fails where the repair
is taken away.

The methods are wrapped on the model's class: on an instance, a copy of it would take them along and
call the original. They do nothing for models that are not spliced.
"""

from __future__ import annotations

from inspect import getattr_static
from typing import TYPE_CHECKING, Any

import wrapt

from tracesplice.adapter import (
    afirst_read_in,
    first_read_in,
    guarded,
    is_instrumented,
    warn_once,
)
from tracesplice_langchain._current import current, enclosing
from tracesplice_langchain._models import ChatModel, is_spliced_model
from tracesplice_langchain._runs import note_runs, take_run
from tracesplice_langchain._streams import astream_from_here, stream_from_here

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

__all__ = ["install"]

_NO_METHOD = (
    "tracesplice: %s has no method %s in this version of LangChain; the gateway's generations of "
    "such calls go under the enclosing span. Please report it with the version of langchain-openai."
)


class _Repaired(wrapt.FunctionWrapper):  # type: ignore[type-arg]  # not generic in wrapt 1
    """A method that this module wrapped."""


def install(model: type) -> None:
    """Wrap the methods of a model's class; a second time changes nothing."""
    note_runs()
    wrappers = _OF_CHAT_MODELS if issubclass(model, ChatModel) else _OF_EMBEDDINGS
    for name, wrapper in wrappers.items():
        method = getattr_static(model, name, None)
        if method is None:
            warn_once(f"langchain:{name}", _NO_METHOD, model.__name__, name)
        elif not isinstance(method, _Repaired):
            setattr(model, name, _Repaired(method, wrapper))


def _in(place: Callable[..., AbstractContextManager[None]]) -> Callable[..., Any]:
    def method(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        if not _is_ours(model):
            return wrapped(*args, **kwargs)
        with place(*args, **kwargs):
            return wrapped(*args, **kwargs)

    return method


def _awaited_in(place: Callable[..., AbstractContextManager[None]]) -> Callable[..., Any]:
    async def method(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        if not _is_ours(model):
            return await wrapped(*args, **kwargs)
        with place(*args, **kwargs):
            return await wrapped(*args, **kwargs)

    return method


def _stream(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
    chunks = wrapped(*args, **kwargs)
    return first_read_in(_run(*args, **kwargs), chunks) if _is_ours(model) else chunks


def _astream(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
    chunks = wrapped(*args, **kwargs)
    return afirst_read_in(_run(*args, **kwargs), chunks) if _is_ours(model) else chunks


def _ask_stream(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
    chunks = wrapped(*args, **kwargs)
    return stream_from_here(chunks) if _is_ours(model) else chunks


def _ask_astream(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
    chunks = wrapped(*args, **kwargs)
    return astream_from_here(chunks) if _is_ours(model) else chunks


@guarded("the LangChain run a call belongs to")
def _is_ours(model: Any) -> bool:
    return is_instrumented() or is_spliced_model(model)


def _run(
    _messages: Any = None, _stop: Any = None, run_manager: Any = None, *_: Any, **__: Any
) -> AbstractContextManager[None]:
    return current(run_manager or take_run())


def _enclosing(*_: Any, **__: Any) -> AbstractContextManager[None]:
    return enclosing()


_OF_CHAT_MODELS = {
    "generate": _in(_enclosing),
    "agenerate": _awaited_in(_enclosing),
    "stream": _ask_stream,
    "astream": _ask_astream,
    "_generate": _in(_run),
    "_agenerate": _awaited_in(_run),
    "_stream": _stream,
    "_astream": _astream,
}
# embed_query and aembed_query call these.
_OF_EMBEDDINGS = {
    "embed_documents": _in(_enclosing),
    "aembed_documents": _awaited_in(_enclosing),
}
