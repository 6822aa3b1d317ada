"""LangChain's models that end in an OpenAI client, and where they keep it."""

from __future__ import annotations

from typing import Any

import openai
from langchain_openai import OpenAIEmbeddings
from langchain_openai.chat_models.base import BaseChatOpenAI

from tracesplice_openai import is_spliced

__all__ = ["ChatModel", "clients", "is_model", "is_spliced_model"]

ChatModel = BaseChatOpenAI
"""What ``ChatOpenAI``, ``AzureChatOpenAI`` and other packages' OpenAI-compatible models are."""

_Client = openai.OpenAI | openai.AsyncOpenAI


def is_model(target: object) -> bool:
    """Return whether ``target`` is a model whose requests an OpenAI client sends."""
    return isinstance(target, (BaseChatOpenAI, OpenAIEmbeddings))


def clients(model: Any) -> list[_Client]:
    """Return the synchronous and the asynchronous client of ``model``, as far as it has them."""
    if isinstance(model, BaseChatOpenAI):
        pairs = ((model.root_client, model.client), (model.root_async_client, model.async_client))
    else:
        pairs = ((None, model.client), (None, model.async_client))
    candidates = (root or _owner(resource) for root, resource in pairs)
    return [each for each in candidates if isinstance(each, _Client)]


def is_spliced_model(model: Any) -> bool:
    """Return whether the calls of ``model`` carry a link because it was spliced."""
    return any(is_spliced(client) for client in clients(model))


def _owner(resource: Any) -> Any:
    # Embeddings keep `client.embeddings` alone, and so do models that were given `client=`. The way
    # from there to the client is private and there is no public one
    # (https://github.com/openai/openai-python/blob/main/src/openai/_resource.py).
    return getattr(resource, "_client", None)
