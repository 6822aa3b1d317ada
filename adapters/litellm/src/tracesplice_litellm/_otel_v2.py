"""Mode ``LITELLM_OTEL_V2``: whose the span of a model call is, and what it says.

https://github.com/BerriAI/litellm/blob/main/litellm/integrations/otel/logger.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from opentelemetry.trace import SpanKind

from tracesplice_litellm._anchor import asking, place_of, server_started
from tracesplice_litellm._attributes import for_generation, for_observation
from tracesplice_litellm._call import Call, call_of, details, reporting, served
from tracesplice_litellm._defaults import with_tags
from tracesplice_litellm._export import NAME, PARENT
from tracesplice_litellm._guard import guarded
from tracesplice_litellm._patch import replace
from tracesplice_litellm._quiet import server_spans
from tracesplice_litellm._spans import watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.sdk.trace import Span

__all__ = ["prepare"]

# How it names spans while they run: of model calls `<operation> <model>`, of guardrails, of MCP.
# https://github.com/BerriAI/litellm/blob/main/litellm/integrations/otel/model/semconv.py
_CALLS = ("chat", "text_completion", "embeddings", "generate_content", "litellm.moderation")
_OTHERS = ("execute_guardrail", "tools/call", "tools/list")

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
        server_started(span)
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
    place = place_of(call.link) if call is not None else None
    return call if place is not None and _is_in(span, int(place.trace_id, 16)) else None


def _parent(span: Span, call: Call | None) -> str:
    place = place_of(call.link) if call is not None else None
    if place is not None:
        return place.parent_id or ""
    # A pass-through endpoint does not show the request's headers to callbacks.
    parent = asking()
    known = parent is not None and _is_in(span, parent.trace_id)
    return f"{parent.span_id:016x}" if parent is not None and known else ""


def _is_in(span: Span, trace_id: int) -> bool:
    return span.get_span_context().trace_id == trace_id
