"""Splices one client: the wrapped methods are set on the instance, its class stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai

from tracesplice.adapter import Gateway
from tracesplice_openai._answer import process_response
from tracesplice_openai._langfuse_openai import observe_generations
from tracesplice_openai._request import OWN_GATEWAY, arequest, build_request, request

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["is_spliced", "splice", "unsplice"]

_COPIERS = ("copy", "with_options")
_REPLACED = "_tracesplice_replaced"


def splice(client: openai.OpenAI | openai.AsyncOpenAI) -> None:
    """Make ``client``'s calls carry a link; its base URL becomes its gateway.

    Raises:
        TracespliceError: The base URL is a model provider's.
    """
    if not is_spliced(client):
        _splice(client, Gateway.declare(client.base_url))


def is_spliced(client: openai.OpenAI | openai.AsyncOpenAI) -> bool:
    """Return whether ``client`` was spliced, or made by one that was."""
    return OWN_GATEWAY in vars(client)


def unsplice(client: openai.OpenAI | openai.AsyncOpenAI) -> None:
    """Put ``client`` back to what it was."""
    attributes = vars(client)
    for name, before in attributes.pop(_REPLACED, {}).items():
        del attributes[name]
        attributes.update(before)
    attributes.pop(OWN_GATEWAY, None)


def _splice(client: Any, gateway: Gateway) -> None:
    observe_generations()
    is_async = isinstance(client, openai.AsyncOpenAI)
    wrappers = {
        "request": arequest if is_async else request,
        "_build_request": build_request,
        "_process_response": process_response,
        **dict.fromkeys(_COPIERS, _copy),
    }
    attributes = vars(client)
    attributes[_REPLACED] = {
        name: {name: attributes[name]} if name in attributes else {} for name in wrappers
    }
    attributes[OWN_GATEWAY] = gateway
    for name, wrapper in wrappers.items():
        attributes[name] = _bound(wrapper, client, name, attributes.get(name))


def _bound(
    wrapper: Callable[..., Any], client: Any, name: str, before: Callable[..., Any] | None
) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        # Looked up at each call, so that what instruments the class later is not bypassed.
        wrapped = before or getattr(type(client), name).__get__(client)
        return wrapper(wrapped, client, *args, **kwargs)

    return call


def _copy(wrapped: Callable[..., Any], client: Any, *args: Any, **kwargs: Any) -> Any:
    copied = wrapped(*args, **kwargs)
    _splice(copied, vars(client)[OWN_GATEWAY])
    return copied
