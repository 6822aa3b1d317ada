"""The methods of LlamaIndex's models that call no model themselves.

OpenInference makes a span of a model for each of them, besides those for the calls: one that has
the model's name and no usage
(https://github.com/Arize-ai/openinference/tree/main/python/instrumentation/openinference-instrumentation-llama-index).
They are LlamaIndex's own in
https://github.com/run-llama/llama_index/tree/main/llama-index-core/llama_index/core/llms.
"""

from __future__ import annotations

from tracesplice.adapter import ignored_spans

__all__ = ["declare_helpers"]

_SCOPE = "openinference.instrumentation.llama_index"

_PREPARES = "_prepare_chat_with_tools"
# They leave the request to one of the methods below.
_HELPERS = (
    *("predict", "apredict", "stream", "astream"),
    *("structured_predict", "astructured_predict"),
    *("stream_structured_predict", "astream_structured_predict"),
    *("predict_and_call", "apredict_and_call"),
    *("chat_with_tools", "achat_with_tools"),
    *("stream_chat_with_tools", "astream_chat_with_tools"),
)
# Of a model these are its calls; a structured model leaves them to a program.
_CALLS = (
    *("chat", "achat", "stream_chat", "astream_chat"),
    *("complete", "acomplete", "stream_complete", "astream_complete"),
)
_STRUCTURED = "StructuredLLM"
_OWN = ("llama_index.core.", "llama_index.llms.openai.", "llama_index.llms.openai_like.")


def declare_helpers(model: type) -> None:
    """Declare the spans of the methods of ``model`` that call no model themselves.

    Another package's class may have one of its own that does.
    """
    methods = (*_HELPERS, *_CALLS) if model.__name__ == _STRUCTURED else _HELPERS
    helpers = (name for name in methods if _module(model, name).startswith(_OWN))
    ignored_spans(_SCOPE, (f"{model.__name__}.{name}" for name in (_PREPARES, *helpers)))


def _module(model: type, method: str) -> str:
    owners = (base for base in model.__mro__ if method in vars(base))
    return next((base.__module__ for base in owners), "")
