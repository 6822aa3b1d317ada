"""tracesplice adapter for LlamaIndex; its hooks are in ``_plugin``."""

from __future__ import annotations

from tracesplice_llama_index._prompt_template import prompt_template

__all__ = ["prompt_template"]
