"""The methods of LlamaIndex's models in which a request is made, or left to another of them.

OpenInference makes a span of a model for each, those that leave the request to another one
included: such a span has the model's name and no usage, and Langfuse would count its tokens
(https://github.com/Arize-ai/openinference/tree/main/python/instrumentation/openinference-instrumentation-llama-index).
The methods are LlamaIndex's own in
https://github.com/run-llama/llama_index/tree/main/llama-index-core/llama_index/core/llms.
"""

from __future__ import annotations

from tracesplice.adapter import ignored_spans

__all__ = ["CALLS", "HELPERS", "LAZY_STREAMS", "ignore_helper_spans"]

CALLS = (
    *("chat", "achat", "stream_chat", "astream_chat"),
    *("complete", "acomplete", "stream_complete", "astream_complete"),
)
"""They make the request; a structured model leaves it to a program."""

HELPERS = (
    *("predict", "apredict", "stream", "astream"),
    *("structured_predict", "astructured_predict"),
    *("stream_structured_predict", "astream_structured_predict"),
    *("predict_and_call", "apredict_and_call"),
    *("chat_with_tools", "achat_with_tools"),
    *("stream_chat_with_tools", "astream_chat_with_tools"),
)
"""They leave the request to one of the calls."""

LAZY_STREAMS = (
    *("stream_chat", "astream_chat", "stream_complete", "astream_complete"),
    *("stream_structured_predict", "astream_structured_predict"),
)
"""They make the request, or call a method that does, when the first part of a stream is read."""

_SCOPE = "openinference.instrumentation.llama_index"
_PREPARES = "_prepare_chat_with_tools"
_STRUCTURED = "StructuredLLM"
_OWN = ("llama_index.core.", "llama_index.llms.openai.", "llama_index.llms.openai_like.")


def ignore_helper_spans(model: type) -> None:
    """Declare the spans of the methods of ``model`` that make no request themselves.

    Another package's class may have one of its own that does.
    """
    methods = (*HELPERS, *CALLS) if model.__name__ == _STRUCTURED else HELPERS
    helpers = (name for name in methods if _defined_in(model, name).startswith(_OWN))
    ignored_spans(_SCOPE, (f"{model.__name__}.{name}" for name in (_PREPARES, *helpers)))


def _defined_in(model: type, method: str) -> str:
    owners = (base for base in model.__mro__ if method in vars(base))
    return next((base.__module__ for base in owners), "")
