"""Splices what people hold of the libraries: models, what makes models, agents, clients of clients.

The clients that are in there are spliced; objects that get theirs later are marked (``_late``).
"""

from __future__ import annotations

import copy
import sys
from contextlib import suppress
from functools import partial
from typing import Any

import tracesplice_openai
from tracesplice.adapter import Gateway, TracespliceError, shown, shown_url, splice_each
from tracesplice_openai._clients import Client, clients_among, clients_of, held_by
from tracesplice_openai._late import mark_late, unmark_late
from tracesplice_openai._libraries import is_of_library, makers_of
from tracesplice_openai._litellm import address_by_litellm
from tracesplice_openai._sdk import sdk
from tracesplice_openai._search import Found, address_in

__all__ = ["splice", "splice_found", "unsplice", "unsplice_found"]


def splice(target: object) -> bool | None:
    """Splice the clients in ``target``, and those that it will get.

    Raises:
        TracespliceError: There are none, or none that call a gateway.
    """
    if not is_of_library(target):
        return None
    found = Found(target)
    if not found.clients and not found.late:
        raise TracespliceError(_without_client(found.objects))
    splice_each([*found.late, *found.clients], splice_found)
    return True


def unsplice(target: object) -> bool | None:
    """Put what was found in ``target`` back to what it was."""
    if not is_of_library(target):
        return None
    found = Found(target)
    for each in (*found.late, *found.clients):
        unsplice_found(each)
    return True


def splice_found(found: Any) -> None:
    """Splice a client that was found in something, or an object that calls out of sight.

    Raises:
        TracespliceError: It calls a model provider, or its address cannot be seen.
    """
    if isinstance(found, Client):
        tracesplice_openai.splice(found)
    else:
        mark_late(found, partial(_gateway_of, found))


def unsplice_found(found: Any) -> None:
    """Undo ``splice_found``."""
    if isinstance(found, Client):
        tracesplice_openai.unsplice(found)
    else:
        unmark_late(found)


def _gateway_of(late: Any) -> Gateway:
    """Return the gateway that ``late`` calls: the address of its client, or of a copy's.

    Raises:
        TracespliceError: It calls a model provider, or its address cannot be seen.
    """
    held = clients_of(late) or _made_by_copy(late)
    _check_engine(late)
    address = sdk.address(held[0]) if held else address_by_litellm(late)
    if address is None:
        raise TracespliceError(_without_client([late]))
    return Gateway.declare(address)


def _made_by_copy(late: Any) -> list[Client]:
    # With a client in it, the object itself could no longer be deep-copied or pickled.
    for name in makers_of(type(late))[:1]:
        with suppress(Exception):  # without a key, say: then nor can a call
            copied = copy.copy(late)
            made = getattr(copied, name)()
            return clients_among([made, *held_by(copied)])
    return []


def _check_engine(late: Any) -> None:
    # DSPy sends models of some providers by an engine of its own, with no client that is known here
    # (https://github.com/stanfordnlp/dspy/blob/main/dspy/clients/backend_selection.py).
    selection = sys.modules.get("dspy.clients.backend_selection")
    if selection is None or type(late).__module__ != "dspy.clients.lm":
        return
    if selection.select_backend(late).native:
        model = str(late.model).partition("/")[2]
        raise TracespliceError(
            f"This LM calls {shown(late.model)} by an engine of DSPy's own, out of reach. "
            f'Type dspy.LM("litellm_proxy/{model}", ...) or dspy.LM(..., engine="litellm").'
        )


def _without_client(objects: list[Any]) -> str:
    addresses = filter(None, map(address_in, objects))
    address = next(addresses, "http://localhost:4000")
    Gateway.declare(address)  # says that of a provider's
    return (
        f"This {type(objects[0]).__name__} has no OpenAI client that could be spliced, or "
        "makes one for each call. To reach its calls, type "
        f"tracesplice.instrument(gateway={shown_url(address)})"
    )
