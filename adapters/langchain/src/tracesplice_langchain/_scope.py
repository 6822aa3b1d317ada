"""Whether every model is repaired, or those that were spliced."""

from __future__ import annotations

__all__ = ["include_every_model", "is_every_model_included"]

_every_model = False


def include_every_model(every: bool) -> None:
    """Repair every model, or from now on spliced ones alone."""
    global _every_model
    _every_model = every


def is_every_model_included() -> bool:
    """Return whether every model is repaired."""
    return _every_model
