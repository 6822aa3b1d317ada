"""tracesplice adapter for the OpenAI Python SDK; its hooks are in ``_plugin``.

Adapters for frameworks that end in an OpenAI client build on the names below.
"""

from __future__ import annotations

from tracesplice_openai._instance import is_spliced

__all__ = ["is_spliced"]
