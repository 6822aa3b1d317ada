"""Splices what people hold of the libraries: models, what makes models, agents, clients of clients.

Where the OpenAI client is there, it is spliced. An object that makes its clients late, some for
each call anew, is marked: its copies have the mark too, and what makes the clients splices them.
"""

from __future__ import annotations

import copy
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any

import tracesplice_openai
from tracesplice.adapter import (
    Gateway,
    TracespliceError,
    guarded,
    shown_url,
    splice_each,
    wrap_methods,
)
from tracesplice_openai._clients import Client, clients_among, clients_of, held_by
from tracesplice_openai._libraries import is_of_library, makers_of
from tracesplice_openai._sdk import sdk
from tracesplice_openai._search import Found, address_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

__all__ = ["splice", "unsplice"]

_MARK = "_tracesplice"


@dataclass(frozen=True)
class _Mark:
    """What makes an object a spliced one: an entry of its ``__dict__``.

    Attributes:
        kind: The object's class; what makes clients is wrapped wherever there is a mark of it.
        gateway: The gateway that the calls may carry a link to.
    """

    kind: type
    gateway: Gateway

    def __post_init__(self) -> None:
        wrap_methods(self.kind, dict.fromkeys(makers_of(self.kind), _make))

    def __reduce__(self) -> Any:
        # Made anew where an object is unpickled: in another process nothing is wrapped yet.
        return _Mark, (self.kind, self.gateway)


def splice(target: object) -> bool | None:
    """Splice the clients in ``target``, and those that it will make.

    Raises:
        TracespliceError: There are none, or none that call a gateway.
    """
    if not is_of_library(target):
        return None
    found = Found(target)
    if not found.clients and not found.makers:
        raise TracespliceError(_without_client(found))
    splice_each([*found.makers, *found.clients], _splice_one)
    return True


def unsplice(target: object) -> bool | None:
    """Put what was found in ``target`` back to what it was."""
    if not is_of_library(target):
        return None
    found = Found(target)
    for maker in found.makers:
        vars(maker).pop(_MARK, None)
    for client in found.clients:
        tracesplice_openai.unsplice(client)
    return True


def _splice_one(found: Any) -> None:
    if isinstance(found, Client):
        tracesplice_openai.splice(found)
        return
    if _MARK not in vars(found):
        vars(found)[_MARK] = _Mark(type(found), _gateway_of(found))
    _splice_made(found)


def _gateway_of(maker: Any) -> Gateway:
    """Return the gateway that ``maker`` calls: the address of its client, or of a copy's.

    Raises:
        TracespliceError: It calls a model provider, or cannot make a client.
    """
    held = clients_of(maker) or _made_by_copy(maker)
    address = sdk.address(held[0]) if held else address_in(maker)
    if address is None:
        raise TracespliceError(_without_client(Found(maker)))
    return Gateway.declare(address)


def _made_by_copy(maker: Any) -> list[Client]:
    # With a client in it, the object itself could no longer be deep-copied or pickled.
    copied = copy.copy(maker)
    with suppress(Exception):  # without a key, say: then nor can a call
        made = getattr(copied, makers_of(type(maker))[0])()
        return clients_among([made, *held_by(copied)])
    return []


def _make(wrapped: Callable[..., Any], maker: Any, args: Any, kwargs: Any) -> Any:
    """Wrap a method that makes clients: returns them, or keeps them in the object, or both."""
    made = wrapped(*args, **kwargs)
    if iscoroutine(made):
        return _amake(made, maker)
    if isinstance(made, AbstractAsyncContextManager) and not isinstance(made, Client):
        return _entered(made, maker)
    _splice_made(maker, made)
    return made


async def _amake(making: Awaitable[Any], maker: Any) -> Any:
    made = await making
    _splice_made(maker, made)
    return made


@asynccontextmanager
async def _entered(manager: AbstractAsyncContextManager[Any], maker: Any) -> AsyncIterator[Any]:
    async with manager as made:
        _splice_made(maker, made)
        yield made


@guarded("the links of a client that was made late")
def _splice_made(maker: Any, made: object = None) -> None:
    """Splice the clients of a marked object that call its gateway."""
    mark: _Mark | None = vars(maker).get(_MARK)
    if mark is None:
        return
    for client in clients_among([made, *clients_of(maker)]):
        if mark.gateway.matches(str(sdk.address(client))):
            tracesplice_openai.splice(client, mark.gateway)


def _without_client(found: Found) -> str:
    addresses = filter(None, map(address_in, found.objects))
    address = next(addresses, "http://localhost:4000")
    Gateway.declare(address)  # says that of a provider's
    return (
        f"This {type(found.objects[0]).__name__} has no OpenAI client that could be spliced: it is "
        "made for each call, or LiteLLM makes it. To reach its calls, type "
        f"tracesplice.instrument(gateway={shown_url(address)})"
    )
