"""The one switch of this adapter: whether LiteLLM's spans of its own work reach Langfuse."""

from __future__ import annotations

import os
from functools import cache

__all__ = ["VARIABLE", "server_spans"]

VARIABLE = "TRACESPLICE_SERVER_SPANS"
"""``true`` lets LiteLLM's server spans into Langfuse; they are left out by default."""


@cache  # asked for every span of a gateway
def server_spans() -> bool:
    """Return whether Langfuse gets the spans of the gateway's own work; read once."""
    return os.environ.get(VARIABLE, "").strip().lower() in ("true", "1", "yes", "on")
