"""Sends what was observed before a process may end."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from opentelemetry import trace

from tracesplice_wire import guarded

if TYPE_CHECKING:
    from tracesplice._ended import Ended

__all__ = ["aflush_observations", "flush_observations"]

_PATIENCE = 10_000  # milliseconds
_SLOW = 2.0  # seconds; of a Langfuse that is down the exporter gives up after three to five
_REST = 10  # times as long as it took
_LOST = "observations of this process that were not sent yet"

_ended: WeakKeyDictionary[Any, Ended] = WeakKeyDictionary()
_rests_until = 0.0


@guarded(_LOST)
def flush_observations(*, last: bool = False) -> None:
    """Send what was observed in this process, as far as it is in OpenTelemetry's global provider.

    A process of a pool is often ended without a chance to do so. Where Langfuse does not answer,
    nobody waits for it again for ten times as long: it is sent in the background meanwhile.

    Args:
        last: Whether there is no other chance, so that it is waited for in any case.
    """
    global _rests_until
    flush = getattr(trace.get_tracer_provider(), "force_flush", None)
    began = monotonic()
    if flush is None or (began < _rests_until and not last):
        return
    try:
        flush(_PATIENCE)
    finally:
        ended = monotonic()
        if ended - began > _SLOW:
            _rests_until = ended + _REST * (ended - began)


async def aflush_observations() -> None:
    """Do the same in a thread, if there is something: an event loop goes on meanwhile.

    What was to be done before is done, so a cancellation that comes now has no effect.
    """
    provider = trace.get_tracer_provider()
    if not hasattr(provider, "force_flush") or monotonic() < _rests_until:
        return
    ended = _ended_in(provider)
    count = 0 if ended is None else ended.count
    if ended is not None and count <= ended.sent:
        return
    try:
        sent = _in_a_thread()
    except RuntimeError:  # another library's loop, or the program ends
        flush_observations()
    else:
        with suppress(asyncio.CancelledError):
            await sent
    if ended is not None and monotonic() >= _rests_until:  # else it may not be sent yet
        ended.sent = max(ended.sent, count)


def _in_a_thread() -> asyncio.Future[None]:
    # Of its own: those of the loop may all be waiting for what waits for this.
    loop = asyncio.get_running_loop()
    sent = loop.create_future()

    def tell() -> None:
        if not sent.done():
            sent.set_result(None)

    def send() -> None:
        flush_observations()
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell)

    threading.Thread(target=send, name="tracesplice-flush", daemon=True).start()
    return sent


@guarded(_LOST)
def _ended_in(provider: Any) -> Ended | None:
    """Return what ended in a tracer provider; None where that is not known."""
    from opentelemetry.sdk.trace import TracerProvider

    from tracesplice._ended import Ended

    if type(provider).__hash__ is None or not isinstance(provider, TracerProvider):
        return None
    ended = _ended.get(provider)
    if ended is None:
        ended = _ended[provider] = Ended()
        # Not by a method of a derived class: Arize's takes other processors out for a new one.
        TracerProvider.add_span_processor(provider, ended)
    processors = getattr(provider, "_active_span_processor", None)
    # The last one is told of a span once the others have it; it may have been taken out since.
    is_last = getattr(processors, "_span_processors", ())[-1:] == (ended,)
    return ended if is_last else None
