"""tracesplice adapter for the OpenAI Python SDK; its hooks are in ``_plugin``.

Adapters for frameworks that end in an OpenAI client build on the names below. The SDK is imported
with the first of them that is used: the hooks are loaded for other packages' objects, too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracesplice_openai._clients import carries_links, clients_of, held_by
    from tracesplice_openai._held import splice_found, unsplice_found
    from tracesplice_openai._late import wrap_calls
    from tracesplice_openai._libraries import calls_out_of_sight
    from tracesplice_openai._litellm import address_by_litellm, address_of_router
    from tracesplice_openai._sdk import sdk
    from tracesplice_openai._splice import is_spliced, splice, unsplice

__all__ = [
    "address_by_litellm",
    "address_of_router",
    "calls_out_of_sight",
    "carries_links",
    "clients_of",
    "held_by",
    "is_spliced",
    "sdk",
    "splice",
    "splice_found",
    "unsplice",
    "unsplice_found",
    "wrap_calls",
]

_ELSEWHERE = {
    **dict.fromkeys(("is_spliced", "splice", "unsplice"), "_splice"),
    **dict.fromkeys(("splice_found", "unsplice_found"), "_held"),
    **dict.fromkeys(("address_by_litellm", "address_of_router"), "_litellm"),
    "calls_out_of_sight": "_libraries",
    "sdk": "_sdk",
    "wrap_calls": "_late",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _ELSEWHERE.get(name, "_clients")
    found = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return found
