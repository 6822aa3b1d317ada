"""The gateways that calls of any client may carry a link to, at the place where they are made."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from tracesplice._splice import declared_gateways

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracesplice._gateway import Gateway

__all__ = ["calling", "gateways_here", "in_call"]

in_call: ContextVar[Sequence[Gateway]] = ContextVar("tracesplice_in_call", default=())
"""Those of a spliced object at work that has no client of its own."""


def gateways_here() -> tuple[Gateway, ...]:
    """Return the gateways that any client's calls may carry a link to, here and now.

    Those of ``tracesplice.instrument``, and of a spliced object that is at work.
    """
    return (*in_call.get(), *declared_gateways())


@contextmanager
def calling(gateways: tuple[Gateway, ...]) -> Iterator[None]:
    """Let the calls of a block carry a link to ``gateways``, by whatever client they are made.

    For a spliced object that calls through clients which others use as well.
    """
    before = in_call.get()
    entered = [*gateways]  # a list of its own, by which it is known again
    try:
        in_call.set(entered)  # in here: a program may be interrupted between any two lines
        yield
    finally:
        # A coroutine may be closed elsewhere, in the middle of another request.
        if in_call.get() is entered:
            in_call.set(before)
