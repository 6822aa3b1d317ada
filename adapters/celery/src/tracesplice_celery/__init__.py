"""tracesplice adapter for Celery: tasks go on in the trace that they were handed out in.

Celery is imported with the first of the names below that is used: the hooks are loaded for other
packages' objects, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracesplice_celery._signals import install, uninstall

__all__ = ["install", "uninstall"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tracesplice_celery import _signals

    found = globals()[name] = getattr(_signals, name)
    return found
