"""Keeps our own faults away from the gateway's requests: logged once, raised only under test."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["STRICT_VARIABLE", "guarded", "log"]

STRICT_VARIABLE = "TRACESPLICE_STRICT"
"""Set to any value in test runs: a fault of ours is then raised instead of logged."""

_log = logging.getLogger("tracesplice")
_seen: set[str] = set()

_P = ParamSpec("_P")
_T = TypeVar("_T")


def log(message: str, *args: object, exc_info: bool = False) -> None:
    """Log a warning; a logging handler or filter that raises costs nothing."""
    with suppress(Exception):
        _log.warning(message, *args, exc_info=exc_info)


def guarded(lost: str) -> Callable[[Callable[_P, _T]], Callable[_P, _T | None]]:
    """Make a function of ours harmless: where it would raise, it logs once and returns None.

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
                _log_once(f"{function.__module__}.{function.__qualname__}", lost)
                return None

        return wrapper

    return decorate


def _log_once(place: str, lost: str) -> None:
    if place in _seen:
        return
    _seen.add(place)
    log(
        "tracesplice-litellm failed and left out %s; the request is not affected. This is a fault "
        "of tracesplice: please report it with this traceback.",
        lost,
        exc_info=True,
    )
