"""LlamaIndex's models that end in an OpenAI client, and what is known of that client."""

from __future__ import annotations

import sys
from typing import Any

import openai
from llama_index.llms.openai import OpenAI, OpenAIResponses

from tracesplice.adapter import Gateway

__all__ = ["clients", "declare_gateway", "is_model"]

_Client = openai.OpenAI | openai.AsyncOpenAI

# Both are private and there is no public way to either; a model makes its client at the first call
# (https://github.com/run-llama/llama_index/tree/main/llama-index-integrations/llms/llama-index-llms-openai).
_CLIENTS = ("_client", "_aclient")


def is_model(target: object) -> bool:
    """Return whether ``target`` is a model whose requests an OpenAI client sends."""
    return isinstance(target, (OpenAI, OpenAIResponses, *_embeddings()))


def clients(model: Any) -> list[_Client]:
    """Return the synchronous and the asynchronous client of ``model``, as far as it made them."""
    made = (getattr(model, name, None) for name in _CLIENTS)
    return [each for each in made if isinstance(each, _Client)]


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


def _embeddings() -> tuple[type, ...]:
    # They come with a package of their own.
    module = sys.modules.get("llama_index.embeddings.openai")
    return () if module is None else (module.OpenAIEmbedding,)
