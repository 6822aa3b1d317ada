"""tracesplice adapter for the LiteLLM Python SDK; its hooks are in ``_plugin``."""

from __future__ import annotations

__all__: list[str] = []
