"""The OpenAI clients that an object of a framework calls through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai

from tracesplice.adapter import is_instrumented
from tracesplice_openai._splice import is_spliced

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Client", "carries_links", "clients_among", "clients_of", "held_by"]

Client = openai.OpenAI | openai.AsyncOpenAI


def clients_of(model: object) -> list[Client]:
    """Return the OpenAI clients that ``model`` holds, each once, synchronous and asynchronous.

    Models keep a client, or a part of it such as ``client.chat.completions``, under several names;
    which of them a call goes through is theirs to choose.
    """
    return clients_among(held_by(model))


def clients_among(values: Iterable[Any]) -> list[Client]:
    """Return the OpenAI clients in ``values``, and those that parts in it belong to, each once."""
    found: dict[int, Client] = {}
    for each in values:
        # The way from a part of a client to the client is private, and there is no public one
        # (https://github.com/openai/openai-python/blob/main/src/openai/_resource.py).
        is_part = type(each).__module__.startswith("openai.resources.")
        client = getattr(each, "_client", None) if is_part else each
        if isinstance(client, Client):
            found[id(client)] = client
    return list(found.values())


def carries_links(model: object, *, unseen: bool) -> bool:
    """Return whether calls of ``model`` carry a link.

    Args:
        model: The model.
        unseen: The answer where none of its clients can be seen.
    """
    if is_instrumented():
        return True
    held = clients_among(held_by(model))
    return any(map(is_spliced, held)) if held else unseen


def held_by(owner: object) -> Iterable[Any]:
    """Return what ``owner`` has as attributes, pydantic's private ones included."""
    found: list[Any] = []
    for name in ("__dict__", "__pydantic_private__"):
        held = getattr(owner, name, None)
        if isinstance(held, dict):
            found += held.values()
    return found
