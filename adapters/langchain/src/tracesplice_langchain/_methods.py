"""The methods of LangChain's models that are wrapped, so that a run is current while it sends.

A model is asked inside a run. What is current at that moment is something else when

- the call is asynchronous: LangChain runs Langfuse's handler in a thread, and what the handler
  makes current stays in there;
- ``generate`` has several inputs: all runs start before the first request, and the last one is
  current;
- the handler makes nothing current, as OpenInference's.

A run that has no parent is part of the runnable that makes the call, where nothing that Langfuse
stores is current: ``with_fallbacks`` does not pass its own run on to the models it invokes. A
stream belongs where it was asked for then.

Each has its row in ``tests/shapes/README.md``: a call that is wrong where the wrapper is taken
away. The methods are those of
https://github.com/langchain-ai/langchain/tree/master/libs/core/langchain_core/language_models.

A model whose clients can be seen and of which none is spliced is left alone unless the process is
instrumented. Of any other nobody can know what it calls, and a run is current in its own call.
"""

from __future__ import annotations

from inspect import getattr_static

from langchain_core.callbacks import AsyncCallbackManager, CallbackManager

from tracesplice.adapter import each_class, guarded, wrap_methods
from tracesplice_langchain import _calls, _streams

__all__ = ["wrap_chat_models", "wrap_completion_models"]

_OF_BOTH = {
    "generate": _calls.in_run_around,
    "agenerate": _calls.ain_run_around,
    "stream": _streams.stream,
    "astream": _streams.astream,
}
_OF_CHAT_MODELS = {
    "_generate_with_cache": _calls.in_run,
    "_agenerate_with_cache": _calls.ain_chat_run,
    "_convert_cached_generations": _calls.from_cache,
}
_OF_COMPLETION_MODELS = {
    "_generate_helper": _calls.of_batch,
    "_agenerate_helper": _calls.of_batch,
}
# Those that a model's own class has.
_OF_STREAMS = {"_stream": _streams.read_in_run, "_astream": _streams.aread_in_run}
_OF_REQUESTS = {"_generate": _calls.in_run, "_agenerate": _calls.ain_run}


def wrap_chat_models(base: type) -> None:
    """Wrap the methods of every chat model.

    Args:
        base: The class that they derive from.
    """
    wrap_methods(base, {**_OF_BOTH, **_OF_CHAT_MODELS})
    wrap_methods(CallbackManager, {"on_chat_model_start": _streams.on_start})
    wrap_methods(AsyncCallbackManager, {"on_chat_model_start": _streams.on_astart})
    each_class(base, _wrap_streams)


def wrap_completion_models(base: type) -> None:
    """Wrap the methods of every model of the old completions, as those of chat models."""
    wrap_methods(base, {**_OF_BOTH, **_OF_COMPLETION_MODELS})
    each_class(base, _wrap_requests_and_streams)


@guarded("the LangChain run of a stream")
def _wrap_streams(model: type) -> None:
    for name, wrapper in _OF_STREAMS.items():
        method = getattr_static(model, name, None)
        # LangChain asks whether a model can stream by `cls._stream is not BaseChatModel._stream`.
        if not getattr(method, "__module__", "").startswith("langchain_core.language_models."):
            wrap_methods(model, {name: wrapper})


@guarded("the LangChain run of a request")
def _wrap_requests_and_streams(model: type) -> None:
    wrap_methods(model, _OF_REQUESTS)
    _wrap_streams(model)
