"""Splices what the user holds: a model, or something that models can be found in."""

from __future__ import annotations

import langchain_openai  # noqa: F401  (first: the hook in `_process` then imports what is below)
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseLanguageModel
from langchain_core.runnables import Runnable

import tracesplice
from tracesplice.adapter import TracespliceError
from tracesplice_langchain import _repair
from tracesplice_langchain._models import clients, is_model
from tracesplice_langchain._search import models_in

__all__ = ["splice", "unsplice"]


def splice(target: object) -> bool | None:
    """Splice ``target``, or the models in it that call a gateway.

    Raises:
        TracespliceError: There is no model in ``target``, or none that calls a gateway.
    """
    if is_model(target):
        _splice_model(target)
    elif _may_hold_models(target):
        _splice_each(target)
    else:
        return None
    return True


def unsplice(target: object) -> bool | None:
    """Put ``target``, or the models in it, back to what they were."""
    if not is_model(target) and not _may_hold_models(target):
        return None
    for model in models_in(target):
        for client in clients(model):
            tracesplice.unsplice(client)
    return True


def _may_hold_models(target: object) -> bool:
    other_model = isinstance(target, (BaseLanguageModel, Embeddings))
    return isinstance(target, Runnable) and not other_model


def _splice_model(model: object) -> None:
    found = clients(model)
    if not found:
        raise TracespliceError(_without_client(model))
    for client in found:
        tracesplice.splice(client)
    _repair.install(type(model))


def _splice_each(target: object) -> None:
    models = models_in(target)
    if not models:
        raise TracespliceError(_not_found(target))
    refused = [error for model in models if (error := _refusal(model)) is not None]
    if len(refused) == len(models):
        raise refused[0]


def _refusal(model: object) -> TracespliceError | None:
    try:
        _splice_model(model)
    except TracespliceError as error:
        # A fallback, say, that goes to the provider itself is right to be left out.
        return error
    return None


def _without_client(model: object) -> str:
    return (
        f"This {type(model).__name__} has no OpenAI client to splice. Pass your own as "
        "root_client= and root_async_client=, or use tracesplice.instrument()."
    )


def _not_found(target: object) -> str:
    return (
        f"No model was found in this {type(target).__name__}. Splice the model before you build "
        'with it: llm = tracesplice.splice(ChatOpenAI(base_url="http://localhost:4000", ...)). '
        "Where it is made out of your reach, use tracesplice.instrument()."
    )
