"""The OpenAI clients that a LlamaIndex model calls through, and the gateway they call."""

from __future__ import annotations

import sys
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.llms.base import BaseLLM

from tracesplice.adapter import Gateway, TracespliceError
from tracesplice_openai import address_by_litellm, calls_out_of_sight, clients_of

__all__ = ["CLIENT_MAKERS", "MODELS", "gateway_of", "makes_clients"]

MODELS = (BaseLLM, BaseEmbedding)

CLIENT_MAKERS = ("_get_client", "_get_aclient")
"""The methods in which a model makes its clients, when it calls. There is no public way to them
(https://github.com/run-llama/llama_index/tree/main/llama-index-integrations/llms/llama-index-llms-openai)."""

# The classes that have those methods, and the packages they come with.
_MAKE_CLIENTS = (
    ("llama_index.llms.openai", "OpenAI"),
    ("llama_index.embeddings.openai", "OpenAIEmbedding"),
)


def makes_clients(kind: type) -> bool:
    """Return whether the models of a class make their clients when they need them."""
    # Where a package is not imported there is no class that is derived from its own.
    makers = (getattr(sys.modules.get(package), name, ()) for package, name in _MAKE_CLIENTS)
    return issubclass(kind, tuple(makers))


def gateway_of(model: Any) -> Gateway:
    """Return the gateway that ``model`` calls.

    Raises:
        TracespliceError: It calls a model provider.
    """
    held = clients_of(model)
    return Gateway.declare(held[0].base_url if held else _address(model), argument="api_base")


def _address(model: Any) -> object:
    if not calls_out_of_sight(model):
        return _base_url(model)
    found = address_by_litellm(model)
    if found is None:
        raise TracespliceError(
            f"This {type(model).__name__} names no gateway. Type "
            f'{type(model).__name__}(api_base="http://localhost:4000", ...).'
        )
    return found


def _base_url(model: Any) -> object:
    # What the model will make its clients of; Azure's have an endpoint instead. It is private, and
    # where it is gone the field it is made of will do.
    describe = getattr(model, "_get_credential_kwargs", None)
    given = describe() if callable(describe) else {"base_url": model.api_base}
    return given.get("azure_endpoint") or given.get("base_url")
