"""Mode ``LITELLM_OTEL_V2``: where the span of a model call hangs, and whose it is.

LiteLLM hangs it under a span of its own web server, which has begun before any callback runs, with
the parent that ``traceparent`` named. It keeps that span as the request's anchor; here another one
is put in its place where that is another trace:
https://github.com/BerriAI/litellm/blob/main/litellm/integrations/otel/plumbing/context.py
Older releases make no span of the server without `opentelemetry-instrumentation-fastapi`.
"""

from __future__ import annotations

import secrets
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from litellm.integrations.otel.plumbing.context import request_root_span, set_request_root_span
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    TraceFlags,
    get_current_span,
)

from tracesplice_litellm._attributes import for_generation, for_observation
from tracesplice_litellm._call import Call, call_of, details, reporting, served
from tracesplice_litellm._defaults import with_tags
from tracesplice_litellm._export import NAME, PARENT
from tracesplice_litellm._guard import guarded
from tracesplice_litellm._link import Place
from tracesplice_litellm._patch import replace
from tracesplice_litellm._quiet import server_spans
from tracesplice_litellm._spans import watch
from tracesplice_litellm._write import joined_place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.sdk.trace import Span

    from tracesplice_litellm._link import Link

__all__ = ["anchor", "prepare"]

# How it names spans while they run: of model calls `<operation> <model>`, of guardrails, of MCP.
# https://github.com/BerriAI/litellm/blob/main/litellm/integrations/otel/model/semconv.py
_CALLS = ("chat", "text_completion", "embeddings", "generate_content", "litellm.moderation")
_OTHERS = ("execute_guardrail", "tools/call", "tools/list")

_server: ContextVar[Span | None] = ContextVar("tracesplice_litellm_server", default=None)
_known: WeakValueDictionary[object, Call] = WeakValueDictionary()


def prepare(logger: Any) -> None:
    """Make a ``LangfuseOpenTelemetryV2`` put links on its spans; twice is once."""
    # Before LiteLLM 1.99 it has no public name.
    watch(getattr(logger, "tracer_provider", None) or logger._tracer_provider, _put_link)
    kind = type(logger)
    replace(kind, "log_pre_api_call", _opening)
    replace(kind, "async_log_success_event", _closing)
    replace(kind, "async_log_failure_event", _closing)


def _opening(original: Callable[..., Any]) -> Callable[..., Any]:
    def log_pre_api_call(logger: Any, model: Any, messages: Any, kwargs: Any) -> Any:
        with reporting(kwargs):
            return original(logger, model, messages, _told_apart(kwargs) or kwargs)

    return log_pre_api_call


def _closing(original: Callable[..., Any]) -> Callable[..., Any]:
    async def log_event(logger: Any, kwargs: Any, *args: Any, **named: Any) -> Any:
        with reporting(kwargs):
            told = _told_apart(kwargs) or kwargs
            return await original(logger, _tagged(told) or told, *args, **named)

    return log_event


@guarded("the difference of two calls that a client gave one id")
def _told_apart(kwargs: dict[str, Any]) -> dict[str, Any]:
    # It keeps open spans by LiteLLM's id of a call, which a client may choose.
    call = call_of(kwargs)
    if call is None:
        return kwargs
    if call.told_as is None:
        first = _known.setdefault(call.call_id, call)
        call.told_as = call.call_id if first is call else f"{call.call_id}-{id(call):x}"
    if call.told_as == call.call_id:
        return kwargs
    told = {"litellm_call_id": call.told_as}
    payload = kwargs.get("standard_logging_object")
    return {**kwargs, **told, "standard_logging_object": payload and {**payload, **told}}


@guarded("the tags of a call")
def _tagged(kwargs: dict[str, Any]) -> Mapping[str, Any]:
    call = call_of(kwargs)
    return kwargs if call is None else with_tags(kwargs, call.link.tags)


@guarded("the link of a call")
def _put_link(span: Span) -> None:
    if span.kind is SpanKind.SERVER:
        _server.set(span)
    is_call = span.kind is SpanKind.CLIENT and span.name.partition(" ")[0] in _CALLS
    if is_call or span.name.startswith(_OTHERS):
        call = call_of(details()) or _of_same_trace(span)
        span.set_attribute(PARENT, _parent(span, call))
        _put_attributes(span, call, is_call=is_call)
    elif server_spans() and (call := _of_same_trace(span)) is not None:
        span.set_attributes(for_observation(call.link))


def _put_attributes(span: Span, call: Call | None, *, is_call: bool) -> None:
    if call is None:
        return
    # Not what LiteLLM asks a model for its own purposes, a guardrail's say.
    if not is_call or call is not call_of(details()):
        span.set_attributes(for_observation(call.link))
        return
    call.observed = True
    span.set_attributes(for_generation(call.link))
    if call.link.generation_name is not None:
        span.set_attribute(NAME, call.link.generation_name)


def _of_same_trace(span: Span) -> Call | None:
    call = served()
    place = _place(call.link) if call is not None else None
    return call if place is not None and _is_in(span, int(place.trace_id, 16)) else None


def _parent(span: Span, call: Call | None) -> str:
    place = _place(call.link) if call is not None else None
    if place is not None:
        return place.parent_id or ""
    # A pass-through endpoint does not show the request's headers to callbacks.
    server = _server.get()
    asking = server.parent if server is not None and server.parent is not None else None
    known = asking is not None and asking.is_remote and _is_in(span, asking.trace_id)
    return f"{asking.span_id:016x}" if asking is not None and known else ""


def _is_in(span: Span, trace_id: int) -> bool:
    return span.get_span_context().trace_id == trace_id


def _place(link: Link) -> Place | None:
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
