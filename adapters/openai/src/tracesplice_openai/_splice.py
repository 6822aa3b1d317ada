"""Splices clients and instruments the process: both wrap methods of the SDK's classes, once.

A client that is neither marked nor calls a declared gateway goes through the wrappers as if they
were not there. Azure's clients, and whatever a library derives, inherit them.
"""

from __future__ import annotations

import copyreg
from typing import TYPE_CHECKING, Any

import openai

from tracesplice.adapter import Gateway, guarded, unwrap_methods, wrap_methods
from tracesplice_openai._langfuse_openai import forget_generations, observe_generations
from tracesplice_openai._mark import MARK, Mark, declare, hand_on, is_spliced, needs_wrappers
from tracesplice_openai._request import build_request, process_response
from tracesplice_openai._sdk import defining, gateway_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["instrument", "splice", "uninstrument", "unsplice"]


def splice(client: openai.OpenAI | openai.AsyncOpenAI, gateway: Gateway | None = None) -> None:
    """Make ``client``'s calls to ``gateway`` carry a link; twice is the same as once.

    Args:
        client: The client.
        gateway: Its gateway; by default its own base URL.

    Raises:
        TracespliceError: The base URL is a model provider's.
    """
    if not is_spliced(client):
        vars(client)[MARK] = _new_mark(gateway or Gateway.declare(gateway_of(client)))


def unsplice(client: openai.OpenAI | openai.AsyncOpenAI) -> None:
    """Put ``client`` back to what it was; copies made before stay spliced."""
    vars(client).pop(MARK, None)
    _unwrap_unless_needed()


def instrument(gateways: Sequence[Gateway]) -> None:
    """Make every client's calls to ``gateways`` carry a link."""
    declare(tuple(gateways))
    _wrap()


def uninstrument() -> None:
    """Undo ``instrument``."""
    declare(())
    _unwrap_unless_needed()


def _new_mark(gateway: Gateway) -> Mark:
    mark = Mark(gateway)
    _wrap()
    return mark


def _copy(wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
    copied = wrapped(*args, **kwargs)
    _hand_on(client, copied)
    return copied


_hand_on = guarded("the links of a client's copy")(hand_on)
_WRAPPERS = {
    "_build_request": build_request,
    "_process_response": process_response,
    "copy": _copy,
    "with_options": _copy,
}
_METHODS = tuple(
    (defining(client, name), {name: wrapper})
    for client in (openai.OpenAI, openai.AsyncOpenAI)
    for name, wrapper in _WRAPPERS.items()
)


def _wrap() -> None:
    observe_generations()
    for owner, wrapper in _METHODS:
        wrap_methods(owner, wrapper)


def _unwrap_unless_needed() -> None:
    if needs_wrappers():
        return
    forget_generations()
    for owner, wrapper in _METHODS:
        unwrap_methods(owner, wrapper)
    # Instead of a lock, which a fork in another thread would leave locked for ever: who spliced in
    # the meantime either finds no wrappers and sets them itself, or is found here.
    if needs_wrappers():
        _wrap()


# A client of a class that can be pickled is spliced where it is unpickled, too.
copyreg.pickle(Mark, lambda mark: (_new_mark, (mark.gateway,)))
