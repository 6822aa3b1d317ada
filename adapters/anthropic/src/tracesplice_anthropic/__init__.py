"""tracesplice adapter for the Anthropic Python SDK; its hooks are in ``_plugin``.

Adapters for frameworks that end in an Anthropic client build on the names below.
"""

from __future__ import annotations

from tracesplice_anthropic._sdk import sdk

__all__ = ["is_spliced", "splice", "unsplice"]

splice = sdk.splice
unsplice = sdk.unsplice
is_spliced = sdk.is_spliced
