"""What an adapter promises, in the words of docs/adapters.md, and how a broken one is told."""

from __future__ import annotations

from typing import NoReturn

__all__ = ["PROMISES", "broken", "hold"]

PROMISES = {
    1: "`splice` returns the same object",
    2: "A link goes to the gateway only",
    3: "The parent is the observation of this very call",
    4: "What the caller wrote takes precedence",
    5: "The user's call is made outside of any guard",
    6: "The answer decides who counts the call",
    7: "A call to elsewhere is noted",
    8: "Nothing is imported for somebody else's object",
}


def hold(number: int, holds: object, found: str) -> None:
    """Fail if a promise does not hold, with what was found."""
    __tracebackhide__ = True
    if not holds:
        broken(number, found)


def broken(number: int, found: str) -> NoReturn:
    """Fail: a promise does not hold."""
    __tracebackhide__ = True
    raise AssertionError(
        f'promise {number} of docs/adapters.md is broken, "{PROMISES[number]}": {found}'
    )
