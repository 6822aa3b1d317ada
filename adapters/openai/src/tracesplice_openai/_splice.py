"""Splices clients and instruments the process: both wrap the SDK's two public client classes.

Azure's clients inherit from them, and so does whatever a library derives. A client that is neither
marked nor calls a declared gateway goes through the wrappers as if they were not there.
"""

from __future__ import annotations

import copyreg
from typing import TYPE_CHECKING

from tracesplice.adapter import Gateway
from tracesplice_openai import _langfuse_openai, _methods
from tracesplice_openai._gateways import Mark, declare, is_spliced, needs_wrappers, set_mark
from tracesplice_openai._sdk import gateway_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import openai

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
        set_mark(client, _new_mark(gateway or Gateway.declare(gateway_of(client))))


def unsplice(client: openai.OpenAI | openai.AsyncOpenAI) -> None:
    """Put ``client`` back to what it was; copies made before stay spliced."""
    set_mark(client, None)
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


def _unwrap_unless_needed() -> None:
    if needs_wrappers():
        return
    _langfuse_openai.forget_generations()
    _methods.unwrap()
    # Instead of a lock, which a fork in another thread would leave locked for ever: who spliced in
    # the meantime either finds no wrappers and sets them itself, or is found here.
    if needs_wrappers():
        _wrap()


def _wrap() -> None:
    _langfuse_openai.observe_generations()
    _methods.wrap()


# A client of a class that can be pickled is spliced where it is unpickled, too.
copyreg.pickle(Mark, lambda mark: (_new_mark, (mark.gateway,)))
