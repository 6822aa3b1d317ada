"""The environment of a call where no observation says one: that of the application's client."""

from __future__ import annotations

import os
import sys
from typing import Any

__all__ = ["client_environment"]

_VARIABLE = "LANGFUSE_TRACING_ENVIRONMENT"
_CLIENTS = "langfuse._client.resource_manager"


def client_environment() -> str | None:
    """Return the environment that an observation made by Langfuse's SDK at this place would have.

    Returns:
        None where it has none; and where clients of several environments could make it.
    """
    # The clients are private, and the only way to `Langfuse(environment=)` where nothing is traced
    # (https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/resource_manager.py).
    manager = getattr(sys.modules.get(_CLIENTS), "LangfuseResourceManager", None)
    clients: dict[str, Any] = getattr(manager, "_instances", None) or {}
    if not clients:
        return os.environ.get(_VARIABLE)
    first, *others = (getattr(each, "environment", None) for each in tuple(clients.values()))
    is_one = isinstance(first, str) and all(each == first for each in others)
    return first if is_one else None
