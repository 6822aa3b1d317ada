"""Requests that functions are wrapped in, and what says where a call belongs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from langfuse import propagate_attributes

from tracesplice.adapter import Link, capture_link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langfuse import Langfuse


def link() -> Link:
    """Says where a call of it belongs."""
    return capture_link()


@contextmanager
def request(langfuse: Langfuse, user: str) -> Iterator[Link]:
    with (
        langfuse.start_as_current_observation(name="request"),
        propagate_attributes(user_id=user, session_id=f"of {user}"),
    ):
        yield capture_link()
