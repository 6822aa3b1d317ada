"""The OpenAI clients that a LangChain object calls through."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import openai

    Client = openai.OpenAI | openai.AsyncOpenAI

__all__ = ["any_spliced", "clients", "has_spliced_client", "held_by"]


def clients(model: object) -> list[Client]:
    """Return the OpenAI clients that ``model`` holds, each once, synchronous and asynchronous.

    Models keep a client, or a part of it such as ``client.chat.completions``, under several names;
    which of them a call goes through is theirs to choose.
    """
    openai = sys.modules.get("openai")
    if openai is None:  # nobody can have made one
        return []
    kinds = (openai.OpenAI, openai.AsyncOpenAI)
    found = (_owner(value) for value in held_by(model))
    return list({id(each): each for each in found if isinstance(each, kinds)}.values())


def has_spliced_client(model: object) -> bool:
    """Return whether calls of ``model`` carry a link because it was spliced."""
    return any_spliced(clients(model))


def any_spliced(held: list[Client]) -> bool:
    """Return whether one of these clients was spliced."""
    if not held:
        return False
    from tracesplice_openai import is_spliced  # it imports openai, which is there by now

    return any(is_spliced(client) for client in held)


def held_by(owner: object) -> Iterable[Any]:
    """Return what ``owner`` has as attributes, pydantic's private ones included."""
    found = (getattr(owner, name, None) for name in ("__dict__", "__pydantic_private__"))
    return [value for each in found if isinstance(each, dict) for value in each.values()]


def _owner(value: Any) -> Any:
    # The way from a part of a client to the client is private, and there is no public one
    # (https://github.com/openai/openai-python/blob/main/src/openai/_resource.py).
    is_part = type(value).__module__.startswith("openai.resources.")
    return getattr(value, "_client", None) if is_part else value
