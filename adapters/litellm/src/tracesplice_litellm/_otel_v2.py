"""Where ``LITELLM_OTEL_V2`` hangs the span of a model call.

Under the span of its own web server, which has begun before any callback runs, with the parent that
``traceparent`` named. LiteLLM keeps that span as the request's anchor; here another one is put in
its place: https://github.com/BerriAI/litellm/blob/main/litellm/integrations/otel/plumbing/context.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from litellm.integrations.otel.plumbing.context import set_request_root_span
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

if TYPE_CHECKING:
    from tracesplice_litellm._link import Place

__all__ = ["anchor"]


def anchor(place: Place) -> None:
    """Put this request's model calls directly under ``place``, which must have a parent."""
    flags = TraceFlags(TraceFlags.SAMPLED if place.sampled else TraceFlags.DEFAULT)
    context = SpanContext(
        int(place.trace_id, 16), int(place.parent_id or "0", 16), is_remote=True, trace_flags=flags
    )
    set_request_root_span(NonRecordingSpan(context))
