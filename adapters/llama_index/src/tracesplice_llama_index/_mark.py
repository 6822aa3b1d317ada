"""Marks a model as spliced, and splices the clients that it makes.

A model makes its clients when it first needs them, some for each call anew. To make them earlier
would change what it is: a model with a client in it cannot be deep-copied. So the mark is on the
model, and its copies take it along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice.adapter import guarded
from tracesplice_llama_index._models import clients, declare_gateway
from tracesplice_openai import splice, unsplice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracesplice.adapter import Gateway

__all__ = ["is_marked", "mark", "mark_again", "splice_client", "unmark"]

_GATEWAY = "_tracesplice_gateway"


def is_marked(model: Any) -> bool:
    """Return whether ``model`` was spliced, or made of one that was."""
    return _GATEWAY in vars(model)


def mark(model: Any, gateway: Gateway | None = None) -> None:
    """Splice ``model``; its base URL becomes its gateway unless one is given.

    Raises:
        TracespliceError: The base URL is a model provider's.
    """
    if not is_marked(model):
        vars(model)[_GATEWAY] = gateway or declare_gateway(model)
    for client in clients(model):
        splice_client(model, client)


@guarded("the links of an unpickled LlamaIndex model")
def mark_again(model: Any, state: Mapping[str, Any]) -> None:
    """Splice ``model`` if the one that ``state`` was pickled of was spliced."""
    gateway = state["__dict__"].get(_GATEWAY)
    if gateway is not None:
        mark(model, gateway)


def unmark(model: Any) -> None:
    """Put ``model`` back to what it was."""
    vars(model).pop(_GATEWAY, None)
    for client in clients(model):
        unsplice(client)


@guarded("the links of a LlamaIndex model")
def splice_client(model: Any, client: Any) -> None:
    """Splice a client of ``model``, if the model is spliced and the client calls its gateway."""
    gateway: Gateway | None = vars(model).get(_GATEWAY)
    if gateway is not None and gateway.matches(str(client.base_url)):
        splice(client)
