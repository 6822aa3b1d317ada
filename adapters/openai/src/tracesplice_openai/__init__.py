"""tracesplice adapter for the OpenAI Python SDK, found through pluggy."""

from __future__ import annotations

from tracesplice_openai._plugin import (
    tracesplice_handles,
    tracesplice_instrument,
    tracesplice_splice,
    tracesplice_uninstrument,
    tracesplice_unsplice,
)

__all__ = [
    "tracesplice_handles",
    "tracesplice_instrument",
    "tracesplice_splice",
    "tracesplice_uninstrument",
    "tracesplice_unsplice",
]
