"""Mode ``LITELLM_OTEL_V2``: whose the span of a model call is, and what it says.

https://github.com/BerriAI/litellm/blob/main/litellm/integrations/otel/logger.py. Model calls hang
under a span of its own web server, which has begun before any callback runs, with the parent that
``traceparent`` named. LiteLLM keeps that span as the request's root; another one is put in its
place where that is another trace:
https://github.com/BerriAI/litellm/blob/main/litellm/integrations/otel/plumbing/context.py
Older releases make no span of the server without `opentelemetry-instrumentation-fastapi`.
"""

from __future__ import annotations

import dataclasses
import secrets
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from litellm.integrations.otel.plumbing.context import request_root_span, set_request_root_span
from opentelemetry import trace

from tracesplice_litellm._call import Call, Report, read_report, report, served, was_sent
from tracesplice_litellm._export import NEW_NAME, PARENT
from tracesplice_litellm._generation import generation_attributes, trace_attributes
from tracesplice_litellm._patch import replace
from tracesplice_litellm._sampled import is_surely_sampled, remote_span
from tracesplice_litellm._server_spans import server_spans
from tracesplice_litellm._spans import watch
from tracesplice_wire import Place, guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.sdk.trace import Span

    from tracesplice_litellm._request import Request

__all__ = ["NAME", "carry", "join", "prepare", "reports"]

NAME = "LITELLM_OTEL_V2"

# How it names spans while they run: of model calls `<operation> <model>`, of guardrails, of MCP.
# https://github.com/BerriAI/litellm/blob/main/litellm/integrations/otel/model/semconv.py
_CALLS = ("chat", "text_completion", "embeddings", "generate_content", "litellm.moderation")
_OTHERS = ("execute_guardrail", "tools/call", "tools/list")

# By LiteLLM's id, to tell two calls at once apart that a client gave one.
_first_of_id: WeakValueDictionary[object, Call] = WeakValueDictionary()
_server: ContextVar[Span | None] = ContextVar("tracesplice_litellm_server", default=None)


def carry(logger: Any) -> None:
    """Make a ``LangfuseOpenTelemetryV2`` put links on its spans; twice is once."""
    # Before LiteLLM 1.99 it has no public name.
    watch(getattr(logger, "tracer_provider", None) or logger._tracer_provider, _put_link)
    kind = type(logger)
    replace(kind, "log_pre_api_call", _opening)
    replace(kind, "async_log_success_event", _closing)
    replace(kind, "async_log_failure_event", _closing)
    routes = getattr(logger, "_tenant_tracers", None)  # not in every release
    if routes is not None:
        replace(type(routes), "route_for", _joining)


prepare = carry  # it reports failed calls by itself


def join(request: Request) -> None:
    """Put this request's model calls into the trace of their place, where LiteLLM does not."""
    if server_spans():
        # What began before the request was read, and has not ended.
        for span in (_server.get(), trace.get_current_span()):
            if span is not None and span.is_recording():
                span.set_attributes(trace_attributes(request.link))
    target = request.places.otel
    if request.same_project is False:
        # LiteLLM's own spans are in the client's trace already; this one leaves it.
        target = Place(secrets.token_hex(16), secrets.token_hex(8))
    elif target is None or (
        target == request.places.header and _is_in(int(target.trace_id, 16), request_root_span())
    ):
        return
    set_request_root_span(remote_span(target))


def reports(logger: Any, call: Call, logging: Any) -> bool:
    """Return whether there is, or will be, a span of the call."""
    # It makes none for an answer that came from no provider, and for some embeddings. Where it
    # cannot start one before the call, it makes it afterwards.
    return call.has_span or (was_sent(logging) and is_surely_sampled(call.request.places.otel))


def _opening(original: Callable[..., Any]) -> Callable[..., Any]:
    def log_pre_api_call(logger: Any, model: Any, messages: Any, kwargs: Any) -> Any:
        found = read_report(kwargs)
        token = report.set(found)
        try:
            return original(logger, model, messages, _changed(found) or kwargs)
        finally:
            report.reset(token)

    return log_pre_api_call


def _closing(original: Callable[..., Any]) -> Callable[..., Any]:
    async def log_event(logger: Any, kwargs: Any, *args: Any, **named: Any) -> Any:
        found = read_report(kwargs)
        token = report.set(found)
        try:
            changed = _changed(found, with_tags=True) or kwargs
            return await original(logger, changed, *args, **named)
        finally:
            report.reset(token)

    return log_event


def _joining(original: Callable[..., Any]) -> Callable[..., Any]:
    def route_for(*args: Any, **named: Any) -> Any:
        route = original(*args, **named)
        # It has no provider of its own where the key or team has no project of its own.
        return route if route.provider is None else _joined(route) or route

    return route_for


@guarded("the trace of a call that is reported to a project of its key's")
def _joined(route: Any) -> Any:
    # LiteLLM reports it by another provider, in a trace of its own, as the request's is in the
    # gateway's project. The client's trace need not be.
    reported = report.get()
    call = None if reported is None else reported.call
    if call is None:
        return route
    watch(route.provider, _put_link)
    is_joined = call.request.same_project is True and call.request.places.otel is not None
    return dataclasses.replace(route, detached=False) if route.detached and is_joined else route


@guarded("the tags and session of a call, and the difference of two that a client gave one id")
def _changed(found: Report, *, with_tags: bool = False) -> Mapping[str, Any]:
    call, kwargs = found
    if call is None:
        return kwargs
    changes: dict[str, Any] = {}
    # It keeps open spans by LiteLLM's id of a call, which a client may choose.
    if call.span_key is None:
        first = _first_of_id.setdefault(call.call_id, call)
        call.span_key = call.call_id if first is call else f"{call.call_id}-{id(call):x}"
    if call.span_key != call.call_id:
        changes["litellm_call_id"] = call.span_key
        payload = kwargs.get("standard_logging_object")
        changes["standard_logging_object"] = payload and {**payload, **changes}
    # It takes tags for routing for all of them, and the session of a tool for the call's:
    # https://github.com/BerriAI/litellm/blob/main/litellm/integrations/otel/model/trace_controls.py
    params, link = kwargs.get("litellm_params"), call.request.link
    own: dict[str, Any] = {"session_id": link.session_id} if link.session_id else {}
    if with_tags and link.tags:
        own["tags"] = list(link.tags)
    if own and isinstance(params, dict):
        metadata = {**(params.get("metadata") or {}), **own}
        changes["litellm_params"] = {**params, "metadata": metadata}
    return {**kwargs, **changes} if changes else kwargs


def _put_link(span: Span) -> None:
    if span.kind is trace.SpanKind.SERVER:
        _server.set(span)
    is_call = span.kind is trace.SpanKind.CLIENT and span.name.partition(" ")[0] in _CALLS
    if not is_call and not span.name.startswith(_OTHERS):
        if server_spans() and (call := _served_in_trace_of(span)) is not None:
            span.set_attributes(trace_attributes(call.request.link))
        return
    reported = report.get()
    own = None if reported is None else reported.call
    call = own or _served_in_trace_of(span)
    span.set_attribute(PARENT, _parent(span, call))
    if is_call and own is not None:
        own.has_span = True
        span.set_attributes(generation_attributes(own.request.link))
        if own.request.generation_name is not None:
            span.set_attribute(NEW_NAME, own.request.generation_name)
    elif call is not None:
        # Also what LiteLLM asks a model for its own purposes, a guardrail's say.
        span.set_attributes(trace_attributes(call.request.link))


def _served_in_trace_of(span: Span) -> Call | None:
    call = served.get()
    place = call.request.places.otel if call is not None else None
    return call if place is not None and _is_in(int(place.trace_id, 16), span) else None


def _parent(span: Span, call: Call | None) -> str:
    place = call.request.places.otel if call is not None else None
    if place is not None:
        # In a project of its key's, LiteLLM may report it in another trace.
        return place.parent_id or "" if _is_in(int(place.trace_id, 16), span) else ""
    # A pass-through endpoint does not show the request's headers to callbacks.
    server = _server.get()
    parent = server.parent if server is not None else None
    if parent is None or not parent.is_remote or not _is_in(parent.trace_id, span):
        return ""
    return f"{parent.span_id:016x}"


def _is_in(trace_id: int, span: trace.Span | None) -> bool:
    return span is not None and span.get_span_context().trace_id == trace_id
