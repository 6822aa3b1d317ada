"""Keeps our own faults away from the user's call: logged once, raised only under test."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["STRICT_VARIABLE", "fault", "guarded", "report_fault", "warn_once"]

STRICT_VARIABLE = "TRACESPLICE_STRICT"
"""Set to any value in test runs: a fault of ours is then raised instead of logged."""

_log = logging.getLogger("tracesplice")
_seen: dict[str, set[int]] = {}
# Kinds are few; where somebody builds them from user data, neither memory nor log grow for ever.
_KINDS = 1_000
_LINES = 3
_WIDTH = 80

_P = ParamSpec("_P")
_T = TypeVar("_T")


def warn_once(kind: str, message: str, *args: object) -> None:
    """Log a warning, once for the same values, and at most three times for one ``kind``.

    A logging handler or filter that raises costs nothing.

    Args:
        kind: What is wrong, as a fixed text: nothing of the user's data in it.
        message: A ``%``-style format for ``args``; says what was left out and what to do.
        *args: Values for the format; of the user's data what ``shown`` makes of it.
    """
    if kind in _seen or len(_seen) < _KINDS:
        _log_once(kind, message, *args)


def report_fault(place: str, message: str, *args: object) -> None:
    """Log the exception that is being handled, once for each ``place``.

    However many warnings there were, a fault is logged.

    Args:
        place: Whose fault it is, such as a function's name.
        message: A ``%``-style format for ``args``.
        *args: Values for the format.
    """
    if place not in _seen:
        _log_once(place, message, *args, exc_info=True)


def fault(place: str, lost: str) -> None:
    """Handle the exception of our own that is being handled: log it once, or raise it under test.

    For ``except Exception:`` on the way of every call, where ``guarded`` would be one call more.

    Args:
        place: The module and name of the function that failed.
        lost: What the call goes without, for the log line.
    """
    if STRICT_VARIABLE in os.environ:
        raise  # the exception that the caller is handling
    report_fault(
        f"fault:{place}",
        "tracesplice failed and left out %s; your call is not affected. This is a fault of %s: "
        "please report it with this traceback.",
        lost,
        place.partition(".")[0],  # of a third party's adapter, its package
    )


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
            except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
                fault(f"{wrapper.__module__}.{wrapper.__qualname__}", lost)
                return None

        return wrapper

    return decorate


def _log_once(kind: str, message: str, *args: object, exc_info: bool = False) -> None:
    with suppress(Exception):  # of a handler or filter of the application's, or of a `__str__`
        args = tuple(arg[:_WIDTH] if isinstance(arg, str) else arg for arg in args)
        lines = _seen.setdefault(kind, set())
        line = hash(message % args)
        if line not in lines and len(lines) < _LINES:
            lines.add(line)
            _log.warning(message, *args, exc_info=exc_info)
