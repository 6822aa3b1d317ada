"""Where ``LITELLM_OTEL_V2`` hangs the span of a model call.

Under the span of its own web server, which has begun before any callback runs, with the parent that
``traceparent`` named. LiteLLM keeps that span as the request's anchor; here another one is put in
its place: https://github.com/BerriAI/litellm/blob/main/litellm/integrations/otel/plumbing/context.py
Older releases make no span of the server without `opentelemetry-instrumentation-fastapi`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from litellm.integrations.otel.plumbing.context import request_root_span, set_request_root_span
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from tracesplice_litellm._write import joined_place

if TYPE_CHECKING:
    from tracesplice_litellm._link import Link, Place

__all__ = ["anchor"]


def anchor(link: Link) -> None:
    """Put this request's model calls directly under their place, where LiteLLM does not."""
    place = joined_place(link)
    if place is None and link.header is not None and not _is_joined(link.header):
        place = link.header
    if place is not None:
        _anchor(place)


def _is_joined(header: Place) -> bool:
    root = request_root_span()
    return root is not None and root.get_span_context().trace_id == int(header.trace_id, 16)


def _anchor(place: Place) -> None:
    flags = TraceFlags(TraceFlags.SAMPLED if place.sampled else TraceFlags.DEFAULT)
    context = SpanContext(
        int(place.trace_id, 16), int(place.parent_id or "0", 16), is_remote=True, trace_flags=flags
    )
    set_request_root_span(NonRecordingSpan(context))
