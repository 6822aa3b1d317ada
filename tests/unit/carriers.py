"""Places that carriers are captured in, for the tests of carriers."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from langfuse import propagate_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langfuse import Langfuse

__all__ = ["ANN", "EVE", "place"]


ANN: Any = {"user_id": "ann", "session_id": "monday", "tags": ["a"]}
EVE: Any = {"user_id": "eve", "metadata": {"team": "red"}, "prompt": {"name": "p", "version": 9}}


@contextmanager
def place(langfuse: Langfuse, **ambient: Any) -> Iterator[Any]:
    with (
        langfuse.start_as_current_observation(name="outer") as span,
        propagate_attributes(**ambient),
    ):
        yield span
