"""tracesplice adapter for the OpenAI Python SDK; its hooks are in ``_plugin``.

Adapters for frameworks that end in an OpenAI client build on the names below.
"""

from __future__ import annotations

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
