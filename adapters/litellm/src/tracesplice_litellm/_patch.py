"""Replaces a method of LiteLLM's in the class that defines it."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["replace"]

_MARK = "_tracesplice_litellm"


def replace(kind: type, name: str, make: Callable[[Any], Callable[..., Any]]) -> None:
    """Put what ``make`` returns in a method's place, for every object of the class; twice is once.

    Args:
        kind: The class, or one that inherits the method.
        name: The method's name; releases of LiteLLM that have none are left alone.
        make: Is given the method, and returns what is called instead.
    """
    owner = next((each for each in kind.__mro__ if name in vars(each)), None)
    if owner is None:
        return
    written = vars(owner)[name]
    original = written.__func__ if isinstance(written, staticmethod) else written
    if hasattr(original, _MARK):
        return
    replacement = wraps(original)(make(original))
    setattr(replacement, _MARK, True)
    is_static = isinstance(written, staticmethod)
    setattr(owner, name, staticmethod(replacement) if is_static else replacement)
