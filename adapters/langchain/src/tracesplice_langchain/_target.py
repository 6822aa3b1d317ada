"""Splices what the user holds: a model, or something that models can be found in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseLanguageModel
from langchain_core.runnables import Runnable

import tracesplice_openai
from tracesplice.adapter import TracespliceError, splice_each
from tracesplice_langchain._clients import clients
from tracesplice_langchain._search import models_in

if TYPE_CHECKING:
    import openai

__all__ = ["splice", "unsplice"]

_INSTRUMENT = 'tracesplice.instrument(gateway="http://localhost:4000")'


def splice(target: object) -> bool | None:
    """Splice every client that ``target``, or a model in it, can call a gateway through.

    Raises:
        TracespliceError: There is no such client.
    """
    if not isinstance(target, (Runnable, Embeddings)):
        return None
    found = _clients_in(target)
    if not found:
        raise TracespliceError(_without_client(target))
    # A fallback, say, that goes to the provider itself is right to be left out.
    splice_each(found, tracesplice_openai.splice)
    return True


def unsplice(target: object) -> bool | None:
    """Put ``target``, or the models in it, back to what they were."""
    if not isinstance(target, (Runnable, Embeddings)):
        return None
    for client in _clients_in(target):
        tracesplice_openai.unsplice(client)
    return True


def _clients_in(target: object) -> list[openai.OpenAI | openai.AsyncOpenAI]:
    found = (client for model in models_in(target) for client in clients(model))
    return list({id(client): client for client in found}.values())


def _without_client(target: object) -> str:
    kind = type(target).__name__
    if isinstance(target, (BaseLanguageModel, Embeddings)):
        return (
            f"This {kind} has no OpenAI client to splice. Pass a real one, where it takes one. A "
            f"model that makes its clients out of sight, as ChatLiteLLM does, calls your gateway "
            f"too: type {_INSTRUMENT}"
        )
    return (
        f"No model was found in this {kind}. Splice the model before you build with it: "
        'llm = tracesplice.splice(ChatOpenAI(base_url="http://localhost:4000", ...)). '
        f"Where it is made out of your reach, type {_INSTRUMENT}"
    )
