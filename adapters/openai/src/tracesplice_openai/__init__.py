"""tracesplice adapter for the OpenAI Python SDK; its hooks are in ``_plugin``.

Adapters for frameworks that end in an OpenAI client build on the names below. The SDK is imported
with the first of them that is used: the hooks are loaded for other packages' objects, too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracesplice_openai._clients import Client, carries_links, clients_of, held_by
    from tracesplice_openai._splice import is_spliced, splice, unsplice

__all__ = [
    "Client",
    "carries_links",
    "clients_of",
    "held_by",
    "is_spliced",
    "splice",
    "unsplice",
]

_OF_SPLICE = ("is_spliced", "splice", "unsplice")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "_splice" if name in _OF_SPLICE else "_clients"
    found = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return found
