"""tracesplice adapter for the Anthropic Python SDK; its hooks are in ``_plugin``.

Adapters for frameworks that end in an Anthropic client build on the names below. The SDK is
imported with the first of them that is used: the hooks are loaded for other packages' objects, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracesplice_anthropic._sdk import sdk

    splice = sdk.splice
    unsplice = sdk.unsplice
    is_spliced = sdk.is_spliced

__all__ = ["is_spliced", "splice", "unsplice"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tracesplice_anthropic._sdk import sdk

    found = globals()[name] = getattr(sdk, name)
    return found
