"""Splices LlamaIndex's models: the one that is given, or those that are assigned to ``Settings``.

A model makes its clients when it calls, some for each call anew. To make them earlier would change
what it is: a model with a client in it cannot be deep-copied. So the model is marked, what is
copied of it has the mark too, and the methods in which its class makes clients splice them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.settings import Settings

import tracesplice_openai
from tracesplice.adapter import TracespliceError, guarded, splice_each, wrap_methods
from tracesplice_llama_index._clients import (
    CLIENT_MAKERS,
    MODELS,
    gateway_of,
    makes_clients,
)
from tracesplice_llama_index._prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tracesplice.adapter import Gateway

__all__ = ["is_spliced", "splice", "unsplice"]

_MARK = "_tracesplice"
_NO_MODEL = (
    "Settings has no model that can be spliced. Assign one first, or splice the model: "
    'Settings.llm = tracesplice.splice(OpenAILike(api_base="http://localhost:4000", ...)).'
)


@dataclass(frozen=True)
class _Mark:
    """What makes a model a spliced one: an entry of its ``__dict__``.

    Attributes:
        kind: The model's class; its methods are wrapped wherever there is a mark of it.
        gateway: The gateway that the model's calls may carry a link to.
        wrapped: What keeps the clients wrapped that calls go through out of sight.
    """

    kind: type
    gateway: Gateway
    wrapped: object = field(init=False, compare=False)

    def __post_init__(self) -> None:
        prepare()
        object.__setattr__(self, "wrapped", tracesplice_openai.wrap_calls(self.kind, self.gateway))
        wrap_methods(self.kind, {"__setstate__": _set_state})
        if makes_clients(self.kind):
            wrap_methods(self.kind, dict.fromkeys(CLIENT_MAKERS, _get_client))

    def __reduce__(self) -> Any:
        # Made anew where a model is unpickled: in another process nothing is prepared yet.
        return _Mark, (self.kind, self.gateway)


def splice(target: object) -> bool | None:
    """Splice ``target``, or the models in it that call a gateway.

    Raises:
        TracespliceError: There is no model in ``target``, or none that calls a gateway.
    """
    models = _models_in(target)
    if target is Settings:
        if not any(map(_can_be_spliced, models)):
            raise TracespliceError(_NO_MODEL)
    elif not models:
        return None
    splice_each(models, _splice_model)
    return True


def unsplice(target: object) -> bool | None:
    """Put ``target``, or the models in it, back to what they were."""
    models = _models_in(target)
    for model in models:
        vars(model).pop(_MARK, None)
        for client in tracesplice_openai.clients_of(model):
            tracesplice_openai.unsplice(client)
    tracesplice_openai.sdk.unwrap_unless_needed()  # models out of sight have no client
    return True if models or target is Settings else None


def is_spliced(model: object) -> bool:
    """Return whether ``model`` was spliced, or made of one that was."""
    return _MARK in vars(model)


def _models_in(target: Any) -> list[Any]:
    # Read through its properties, Settings makes what is not there: a model at OpenAI.
    names = ("_llm", "_embed_model")
    held = [getattr(target, name, None) for name in names] if target is Settings else [target]
    asked = (each.llm if isinstance(each, StructuredLLM) else each for each in held)
    return [each for each in asked if isinstance(each, MODELS)]


def _can_be_spliced(model: Any) -> bool:
    if makes_clients(type(model)) or tracesplice_openai.calls_out_of_sight(model):
        return True
    return bool(tracesplice_openai.clients_of(model))


def _splice_model(model: Any) -> None:
    if not _can_be_spliced(model):
        raise TracespliceError(_no_client(model))
    if not is_spliced(model):
        vars(model)[_MARK] = _Mark(type(model), gateway_of(model))
    _splice_clients(model)


def _no_client(model: Any) -> str:
    said = getattr(model, "additional_kwargs", None) or {}
    gateway = getattr(model, "api_base", None) or said.get("api_base") or "http://localhost:4000"
    return (
        f"This {type(model).__name__} holds no OpenAI client that could be spliced. Where it makes "
        f'one for each call: tracesplice.instrument(gateway="{gateway}"). Else '
        "give it one (OpenAIResponses takes openai_client= and async_openai_client=), or use "
        "OpenAILike(api_base=...)."
    )


def _get_client(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap a method in which a model makes its client."""
    client = wrapped(*args, **kwargs)
    _splice_client(model, client)
    return client


def _set_state(wrapped: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the method in which a model is unpickled: it makes itself anew, without the mark."""
    wrapped(*args, **kwargs)
    _mark_again(model, *args)


@guarded("the links of an unpickled LlamaIndex model")
def _mark_again(model: Any, state: Mapping[str, Any]) -> None:
    mark = state["__dict__"].get(_MARK)
    if mark is not None:
        vars(model)[_MARK] = mark
        _splice_clients(model)


def _splice_clients(model: Any) -> None:
    for client in tracesplice_openai.clients_of(model):
        _splice_client(model, client)


@guarded("the links of a LlamaIndex model")
def _splice_client(model: Any, client: Any) -> None:
    """Splice a client of ``model``, if the model is spliced and the client calls its gateway."""
    mark: _Mark | None = vars(model).get(_MARK)
    if mark is None or tracesplice_openai.is_spliced(client):
        return
    if mark.gateway.matches(str(client.base_url)):
        tracesplice_openai.splice(client, mark.gateway)
