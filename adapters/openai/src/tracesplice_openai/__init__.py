"""tracesplice adapter for the OpenAI Python SDK; its hooks are in ``_plugin``.

Adapters for frameworks that end in an OpenAI client build on the names below.
"""

from __future__ import annotations

from tracesplice_openai._mark import is_spliced
from tracesplice_openai._splice import splice, unsplice

__all__ = ["is_spliced", "splice", "unsplice"]
