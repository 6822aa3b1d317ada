"""tracesplice adapter for LangChain; its hooks are in ``_plugin``."""

from __future__ import annotations

from tracesplice_langchain._template import prompt_template

__all__ = ["prompt_template"]
