"""Which gateways a client's calls may carry a link to: its own mark's, and the declared ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    import openai

    from tracesplice.adapter import Gateway

__all__ = ["Mark", "declare", "gateways_of", "hand_on", "is_spliced", "needs_wrappers", "set_mark"]

_MARK = "_tracesplice"
_marks: WeakSet[Mark] = WeakSet()
_declared: tuple[Gateway, ...] = ()


class Mark:
    """What makes a client a spliced one: an entry of its ``__dict__`` that its copies share.

    Attributes:
        gateway: The gateway that the client's calls may carry a link to.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        _marks.add(self)

    def __deepcopy__(self, memo: object) -> Mark:
        return self


def set_mark(client: openai.OpenAI | openai.AsyncOpenAI, mark: Mark | None) -> None:
    """Mark ``client``, or take its mark away."""
    if mark is None:
        vars(client).pop(_MARK, None)
    else:
        vars(client)[_MARK] = mark


def hand_on(client: Any, copied: Any) -> None:
    """Mark what ``client`` made of itself as ``client`` is."""
    mark = vars(client).get(_MARK)
    if mark is not None:
        vars(copied).setdefault(_MARK, mark)


def is_spliced(client: openai.OpenAI | openai.AsyncOpenAI) -> bool:
    """Return whether ``client`` was spliced, or made by one that was."""
    return _MARK in vars(client)


def declare(gateways: tuple[Gateway, ...]) -> None:
    """Set the gateways that every client's calls may carry a link to."""
    global _declared
    _declared = gateways


def gateways_of(client: Any) -> tuple[Gateway, ...]:
    """Return the gateways that ``client``'s calls may carry a link to."""
    mark: Mark | None = vars(client).get(_MARK)
    return _declared if mark is None else (mark.gateway, *_declared)


def needs_wrappers() -> bool:
    """Return whether a gateway is declared, or a client anywhere is spliced."""
    return bool(_declared) or len(_marks) > 0
