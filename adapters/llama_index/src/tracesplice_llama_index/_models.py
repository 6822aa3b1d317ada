"""LlamaIndex's models, and what is known of the OpenAI clients that they call."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import openai
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.llms.base import BaseLLM

from tracesplice.adapter import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["client_makers", "clients", "declare_gateway", "is_model"]

_Client = openai.OpenAI | openai.AsyncOpenAI

# They make their clients at the first call, and there is no public way to them
# (https://github.com/run-llama/llama_index/tree/main/llama-index-integrations/llms/llama-index-llms-openai).
_MAKE_CLIENTS_LATE = {
    "llama_index.llms.openai": "OpenAI",
    "llama_index.embeddings.openai": "OpenAIEmbedding",
}


def is_model(target: object) -> bool:
    """Return whether ``target`` is a model of LlamaIndex's."""
    return isinstance(target, (BaseLLM, BaseEmbedding))


def client_makers(model: Any) -> tuple[str, ...]:
    """Return the names of the methods in which ``model`` makes its clients when it needs them."""
    late = any(isinstance(model, each) for each in _late_classes())
    return ("_get_client", "_get_aclient") if late else ()


def clients(model: Any) -> list[_Client]:
    """Return the OpenAI clients that ``model`` holds."""
    held = (*vars(model).values(), *(model.__pydantic_private__ or {}).values())
    return [each for each in held if isinstance(each, _Client)]


def declare_gateway(model: Any) -> Gateway:
    """Declare the gateway that ``model`` calls.

    Raises:
        TracespliceError: It calls a model provider.
    """
    made = clients(model)
    return Gateway.declare(made[0].base_url if made else _base_url(model), argument="api_base")


def _base_url(model: Any) -> object:
    # What the model will make its client of; Azure's clients have an endpoint instead. It is
    # private, and where it is gone the field it is made of will do.
    describe = getattr(model, "_get_credential_kwargs", None)
    given = describe() if callable(describe) else {"base_url": model.api_base}
    return given.get("azure_endpoint") or given.get("base_url")


def _late_classes() -> Iterator[type]:
    # Each comes with a package of its own; a model of it is there only where it is imported.
    for name, kind in _MAKE_CLIENTS_LATE.items():
        if name in sys.modules:
            yield getattr(sys.modules[name], kind)
