"""tracesplice adapter for Ray: tasks and actors go on in the trace that they were called in.

Ray is imported with the first of the names below that is used: the hooks are loaded for other
packages' objects, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracesplice_ray._install import install, uninstall

__all__ = ["install", "uninstall"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tracesplice_ray import _install

    found = globals()[name] = getattr(_install, name)
    return found
