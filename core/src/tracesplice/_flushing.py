"""Sends what was observed before a process may end, if there is something."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from opentelemetry import trace

from tracesplice_wire import guarded

if TYPE_CHECKING:
    from tracesplice._ended import Ended

__all__ = ["aflush_observations", "flush_observations"]

_PATIENCE = 10_000  # milliseconds
_LOST = "observations of this process that were not sent yet"

_ended: WeakKeyDictionary[Any, Ended] = WeakKeyDictionary()


@guarded(_LOST)
def flush_observations() -> None:
    """Send what was observed in this process, as far as it is in OpenTelemetry's global provider.

    A process of a pool is often ended without a chance to do so.
    """
    provider: Any = trace.get_tracer_provider()
    ended = _ended.get(provider) or _count(provider)
    if ended is None:
        if hasattr(provider, "force_flush"):
            provider.force_flush(_PATIENCE)
        return
    count = ended.count
    if count > ended.sent and provider.force_flush(_PATIENCE) is not False:
        ended.sent = max(ended.sent, count)


async def aflush_observations() -> None:
    """Do the same in a thread: an event loop goes on meanwhile."""
    if _is_all_sent():
        return
    try:
        await asyncio.to_thread(flush_observations)
    except RuntimeError:  # another library's loop, or the program ends
        flush_observations()


@guarded(_LOST)
def _is_all_sent() -> bool:
    provider = trace.get_tracer_provider()
    ended = _ended.get(provider) or _count(provider)
    return not hasattr(provider, "force_flush") if ended is None else ended.count <= ended.sent


def _count(provider: Any) -> Ended | None:
    """Count what ends in a provider from now on; None where it is not of OpenTelemetry's SDK."""
    if not hasattr(provider, "add_span_processor"):
        return None
    from tracesplice._ended import Ended

    ended = _ended[provider] = Ended()
    provider.add_span_processor(ended)
    return ended
