"""Sends what was observed without keeping an event loop waiting, and only if there is something."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor

from tracesplice.adapter import flush_observations, guarded

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["aflush_observations"]


async def aflush_observations() -> None:
    """Send what was observed in this process, in a thread: see ``flush_observations``."""
    ended = _ended_here()
    if ended is None or ended.sent >= ended.count:
        return
    count = ended.count
    try:
        await asyncio.to_thread(flush_observations)
    except RuntimeError:  # the program ends
        flush_observations()
    ended.sent = max(ended.sent, count)


class _Ended(SpanProcessor):
    """Counts the spans that ended, and those of them that are sent."""

    def __init__(self) -> None:
        self.count, self.sent = 1, 0  # there may be some already

    def on_end(self, span: ReadableSpan) -> None:
        self.count += 1


_ended: WeakKeyDictionary[Any, _Ended] = WeakKeyDictionary()


@guarded("observations of this process that were not sent yet")
def _ended_here() -> _Ended | None:
    provider: Any = trace.get_tracer_provider()
    found = _ended.get(provider)
    if found is None and hasattr(provider, "add_span_processor"):
        found = _ended[provider] = _Ended()
        provider.add_span_processor(found)
    return found
