"""The wrappers that ``_repair`` puts around LangChain's methods.

``generate`` and ``agenerate`` ask a chat model by ``_generate_with_cache``, a completion model by
``_generate_helper``, and tell them the run. ``stream`` and ``astream`` call what the model's own
class has as ``_stream`` and ``_astream``; LangChain looks whether a class has them, so the base's
stay as they are, and those of a class are wrapped when the first of its models is met
(https://github.com/langchain-ai/langchain/tree/master/libs/core/langchain_core/language_models).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import wrapt

from tracesplice.adapter import afirst_read_in, first_read_in, guarded, is_instrumented
from tracesplice_langchain._clients import any_spliced, clients
from tracesplice_langchain._places import (
    note_no_request,
    of_batch,
    of_call,
    of_enclosing,
    of_stream,
)
from tracesplice_langchain._runs import take_run
from tracesplice_langchain._streams import astream_from_here, stream_from_here

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

__all__ = ["OF_BOTH", "OF_CHAT_MODELS", "OF_COMPLETION_MODELS", "OF_LATER_CHAT_MODELS"]


class _Repaired(wrapt.FunctionWrapper):  # type: ignore[type-arg]  # not generic in wrapt 1
    """A method of a model's own class that this module wrapped."""


def _in(place: Callable[..., AbstractContextManager[None]]) -> Callable[..., Any]:
    def method(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        if not _is_ours(model):
            return wrapped(*args, **kwargs)
        with place(model, *args, **kwargs):
            return wrapped(*args, **kwargs)

    return method


def _awaited_in(place: Callable[..., AbstractContextManager[None]]) -> Callable[..., Any]:
    async def method(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        if not _is_ours(model):
            return await wrapped(*args, **kwargs)
        with place(model, *args, **kwargs):
            return await wrapped(*args, **kwargs)

    return method


def _asked(from_here: Callable[[Any], Any]) -> Callable[..., Any]:
    def method(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        _repair_class(type(model))
        chunks = wrapped(*args, **kwargs)
        return from_here(chunks) if _is_ours(model) else chunks

    return method


def _read(read_in: Callable[[AbstractContextManager[None], Any], Any]) -> Callable[..., Any]:
    def method(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        chunks = wrapped(*args, **kwargs)
        return read_in(of_stream(model, *args, **kwargs), chunks) if _is_ours(model) else chunks

    return method


def _from_cache(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
    # What LangChain has in its own cache, it turns into an answer with the tokens of the first.
    note_no_request(model, take_run())
    return wrapped(*args, **kwargs)


def _met(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
    _repair_class(type(model))
    return wrapped(*args, **kwargs)


@guarded("the LangChain run a call belongs to")
def _is_ours(model: Any) -> bool:
    if is_instrumented():
        return True
    held = clients(model)
    return not held or any_spliced(held)


@guarded("the LangChain run of a stream")
def _repair_class(model: type) -> None:
    for name, wrapper in _OF_STREAMS.items():
        owner = next(base for base in model.__mro__ if name in vars(base))
        method = vars(owner)[name]
        is_base = owner.__module__.startswith("langchain_core.language_models.")
        if not is_base and not isinstance(method, _Repaired):
            setattr(owner, name, _Repaired(method, wrapper))


OF_BOTH = {
    "generate": _in(of_enclosing),
    "agenerate": _awaited_in(of_enclosing),
    "stream": _asked(stream_from_here),
    "astream": _asked(astream_from_here),
}
OF_CHAT_MODELS = {
    "_generate_with_cache": _in(of_call),
    "_agenerate_with_cache": _awaited_in(of_call),
    "_convert_cached_generations": _from_cache,
}
OF_LATER_CHAT_MODELS = {"stream_events": _met, "astream_events": _met}
OF_COMPLETION_MODELS = {
    "_generate_helper": _in(of_batch),
    "_agenerate_helper": _awaited_in(of_batch),
}
_OF_STREAMS = {"_stream": _read(first_read_in), "_astream": _read(afirst_read_in)}
