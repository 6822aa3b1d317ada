"""Keeps our own faults away from the user's call: logged once, raised only under test."""

from __future__ import annotations

import logging
import os
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["STRICT_VARIABLE", "guarded", "warn_once"]

STRICT_VARIABLE = "TRACESPLICE_STRICT"
"""Set to any value in test runs: a fault of ours is then raised instead of logged."""

_log = logging.getLogger("tracesplice")
_seen: set[str] = set()
_SEEN_LIMIT = 1_000  # a key built from user data must not grow the set for ever

_P = ParamSpec("_P")
_T = TypeVar("_T")


def warn_once(key: str, message: str, *args: object, exc_info: bool = False) -> None:
    """Log a warning the first time ``key`` is seen in this process.

    Args:
        key: What makes the warning the same one.
        message: A ``%``-style format for ``args``; says what was left out and what to do.
        *args: Values for the format.
        exc_info: Whether to add the current exception's traceback.
    """
    if key in _seen or len(_seen) >= _SEEN_LIMIT:
        return
    _seen.add(key)
    _log.warning(message, *args, exc_info=exc_info)


def guarded(lost: str) -> Callable[[Callable[_P, _T]], Callable[_P, _T | None]]:
    """Make a function of ours harmless: where it would raise, it logs once and returns None.

    Put it on what tracesplice adds to a call, never on what produces the user's value.

    Args:
        lost: What the call goes without when the function fails, for the log line.
    """

    def decorate(function: Callable[_P, _T]) -> Callable[_P, _T | None]:
        @wraps(function)
        def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> _T | None:
            try:
                return function(*args, **kwargs)
            except Exception:
                if STRICT_VARIABLE in os.environ:
                    raise
                warn_once(
                    f"guarded:{function.__module__}.{function.__qualname__}",
                    "tracesplice failed and left out %s; your call is not affected. This is a "
                    "fault of tracesplice: please report it with this traceback.",
                    lost,
                    exc_info=True,
                )
                return None

        return wrapper

    return decorate
