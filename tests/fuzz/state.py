"""What of tracesplice outlives a call: every set, dict, list, deque and cache of its modules."""

from __future__ import annotations

import sys
import types
import weakref
from typing import Any

__all__ = ["sizes"]

_SIZED = (set, dict, list, weakref.WeakSet, weakref.WeakKeyDictionary, weakref.WeakValueDictionary)
_OURS = "tracesplice"
_NOT = ("tracesplice_testing", "tracesplice_view", "tracesplice_cli")


def sizes() -> dict[str, int]:
    """How many entries each has, by module and name; also those of objects that modules hold."""
    found: dict[str, int] = {}
    for name, module in sorted(sys.modules.items()):
        if name.startswith(_OURS) and not name.startswith(_NOT):
            seen: set[int] = set()
            for attribute, value in sorted(vars(module).items()):
                if not attribute.startswith("__"):
                    _add(found, seen, f"{name}.{attribute}", value)
    return found


def _add(found: dict[str, int], seen: set[int], name: str, value: Any, depth: int = 3) -> None:
    if id(value) in seen or isinstance(value, types.ModuleType):
        return
    seen.add(id(value))
    if hasattr(value, "cache_info"):
        found[name] = value.cache_info().currsize
    elif isinstance(value, _SIZED):
        found[name] = len(value)
    elif depth and str(getattr(type(value), "__module__", "")).startswith(_OURS):
        for attribute in _attributes(value):
            _add(found, seen, f"{name}.{attribute}", getattr(value, attribute, None), depth - 1)


def _attributes(value: Any) -> list[str]:
    slots = [each for kind in type(value).__mro__ for each in getattr(kind, "__slots__", ())]
    return [*getattr(value, "__dict__", {}), *slots]
