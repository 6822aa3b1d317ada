"""Which clients are spliced, and to which gateways a client's calls may carry a link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    import openai

    from tracesplice.adapter import Gateway

__all__ = [
    "MARK",
    "Mark",
    "declare",
    "declared",
    "gateways_of",
    "hand_on",
    "is_spliced",
    "needs_wrappers",
]

MARK = "_tracesplice"
"""The entry of a client's ``__dict__`` that makes it a spliced one."""

declared: tuple[Gateway, ...] = ()
"""The gateways that every client's calls may carry a link to."""

_marks: WeakSet[Mark] = WeakSet()


class Mark:
    """What makes a client a spliced one: an entry of its ``__dict__`` that its copies share.

    Attributes:
        gateway: The gateway that the client's calls may carry a link to.
        reached: The latest base URL and path that were found to lead there, to a model.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.reached: tuple[object, str] | None = None
        _marks.add(self)

    def __deepcopy__(self, memo: object) -> Mark:
        return self


def is_spliced(client: openai.OpenAI | openai.AsyncOpenAI) -> bool:
    """Return whether ``client`` was spliced, or made by one that was."""
    return MARK in vars(client)


def declare(gateways: tuple[Gateway, ...]) -> None:
    """Set ``declared``."""
    global declared
    declared = gateways


def gateways_of(client: Any) -> tuple[Gateway, ...]:
    """Return the gateways that ``client``'s calls may carry a link to."""
    mark: Mark | None = vars(client).get(MARK)
    return declared if mark is None else (mark.gateway, *declared)


def hand_on(client: Any, copied: Any) -> None:
    """Mark what ``client`` made of itself as ``client`` is."""
    mark = vars(client).get(MARK)
    if mark is not None:
        vars(copied).setdefault(MARK, mark)


def needs_wrappers() -> bool:
    """Return whether a gateway is declared, or a client anywhere is spliced."""
    return bool(declared) or len(_marks) > 0
