"""Where ``LITELLM_OTEL_V2`` hangs the model calls of a request.

Under a span of its own web server, which has begun before any callback runs, with the parent that
``traceparent`` named. It keeps that span as the request's anchor; here another one is put in its
place where that is another trace:
https://github.com/BerriAI/litellm/blob/main/litellm/integrations/otel/plumbing/context.py
Older releases make no span of the server without `opentelemetry-instrumentation-fastapi`.
"""

from __future__ import annotations

import secrets
from contextvars import ContextVar
from typing import TYPE_CHECKING

from litellm.integrations.otel.plumbing.context import request_root_span, set_request_root_span
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, get_current_span

from tracesplice_litellm._attributes import for_observation
from tracesplice_litellm._link import Place
from tracesplice_litellm._quiet import server_spans
from tracesplice_litellm._write import joined_place

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Span

    from tracesplice_litellm._link import Link

__all__ = ["anchor", "asking", "place_of", "server_started"]

_server: ContextVar[Span | None] = ContextVar("tracesplice_litellm_server", default=None)


def server_started(span: Span) -> None:
    """Note the web server's span of this request."""
    _server.set(span)


def asking() -> SpanContext | None:
    """Return whose request it is by its ``traceparent``, which not every callback is shown."""
    server = _server.get()
    parent = server.parent if server is not None else None
    return parent if parent is not None and parent.is_remote else None


def place_of(link: Link) -> Place | None:
    """Return where LiteLLM puts the model calls of a request, once it is anchored."""
    return joined_place(link) or link.header


def anchor(link: Link) -> None:
    """Put this request's model calls into the trace of their place, where LiteLLM does not."""
    if server_spans():
        _name_trace(link)
    place = joined_place(link)
    if place is None and link.header is not None and not _is_joined(link.header):
        place = link.header
    if link.same_project is False:
        # LiteLLM's own spans are in the client's trace already; this one leaves it.
        place = Place(secrets.token_hex(16), secrets.token_hex(8))
    if place is not None:
        _anchor(place)


def _name_trace(link: Link) -> None:
    # What began before the request was read, and has not ended.
    for span in (_server.get(), get_current_span()):
        if span is not None and span.is_recording():
            span.set_attributes(for_observation(link))


def _is_joined(header: Place) -> bool:
    root = request_root_span()
    return root is not None and root.get_span_context().trace_id == int(header.trace_id, 16)


def _anchor(place: Place) -> None:
    flags = TraceFlags(TraceFlags.SAMPLED if place.sampled else TraceFlags.DEFAULT)
    context = SpanContext(
        int(place.trace_id, 16), int(place.parent_id or "0", 16), is_remote=True, trace_flags=flags
    )
    set_request_root_span(NonRecordingSpan(context))
