"""Sends what was observed before a process may end."""

from __future__ import annotations

import asyncio

from opentelemetry import trace

from tracesplice_wire import guarded

__all__ = ["aflush_observations", "flush_observations"]

_PATIENCE = 10_000  # milliseconds


@guarded("observations of this process that were not sent yet")
def flush_observations() -> None:
    """Send what was observed in this process, as far as it is in OpenTelemetry's global provider.

    A process of a pool is often ended without a chance to do so.
    """
    flush = getattr(trace.get_tracer_provider(), "force_flush", None)
    if flush is not None:
        flush(_PATIENCE)


async def aflush_observations() -> None:
    """Do the same in a thread: an event loop goes on meanwhile."""
    try:
        await asyncio.to_thread(flush_observations)
    except RuntimeError:  # another library's loop, or the program ends
        flush_observations()
