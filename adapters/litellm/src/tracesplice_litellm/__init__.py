"""The gateway's side of tracesplice: a LiteLLM callback, ``tracesplice_litellm.adapter``.

It does not need the package ``tracesplice``: a gateway's environment has pins of its own.
"""

from __future__ import annotations

from typing import Any

__all__ = ["adapter"]


def __getattr__(name: str) -> Any:
    """Make the callback when LiteLLM asks for it; importing the package alone imports nothing."""
    if name != "adapter":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tracesplice_litellm._callback import adapter

    return adapter
