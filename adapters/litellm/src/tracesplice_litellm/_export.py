"""What of LiteLLM's spans goes to Langfuse, and as what; other receivers get them as they are.

Langfuse gets what a call consists of: its generations, directly under the client's observation, and
the guardrails and MCP tools that worked on it. The gateway's own work (server, keys, routing,
caches, health probes) it gets only if asked to, see ``_server_spans``, and never as
generations, which LiteLLM makes of some by naming the model on every span.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext

from tracesplice_litellm._generation import TYPE
from tracesplice_litellm._patch import replace
from tracesplice_litellm._server_spans import server_spans
from tracesplice_wire import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["NEW_NAME", "PARENT", "filter_exports", "for_langfuse"]

PARENT = "tracesplice.parent"
"""Marks a span for Langfuse: the observation it goes under, 16 hex digits, or "" for none."""

NEW_NAME = "tracesplice.name"
"""What it is to be called in Langfuse."""

_ENDPOINT = "/api/public/otel"
_TRACE_NAME = "langfuse.trace.name"
_SERVER = ("litellm", "fastapi", "opentelemetry.instrumentation")


def filter_exports() -> None:
    """Make OpenTelemetry's exporters send Langfuse what it is to get; twice is once."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    replace(OTLPSpanExporter, "export", _filtered)
    try:
        from litellm.integrations.otel.plumbing.otlp_json import OTLPJsonSpanExporter
    except ImportError:  # an older LiteLLM
        return
    replace(OTLPJsonSpanExporter, "export", _filtered)


def _filtered(original: Callable[..., Any]) -> Callable[..., Any]:
    def export(exporter: Any, spans: Sequence[ReadableSpan]) -> Any:
        if _ENDPOINT not in str(getattr(exporter, "_endpoint", "")):
            return original(exporter, spans)
        chosen = for_langfuse(spans)
        if chosen is None:
            return original(exporter, spans)
        return original(exporter, chosen) if chosen else SpanExportResult.SUCCESS

    return export


@guarded("the choice of spans for Langfuse")
def for_langfuse(spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
    """Return the spans that Langfuse gets, as it gets them."""
    return [each for each in map(_chosen, spans) if each is not None]


def _chosen(span: ReadableSpan) -> ReadableSpan | None:
    attributes = span.attributes or {}
    scope = span.instrumentation_scope.name if span.instrumentation_scope else ""
    if PARENT in attributes or (TYPE in attributes and scope == "litellm"):
        return _placed(span, attributes)
    if TYPE in attributes or not scope.startswith(_SERVER):
        return span
    return _plain(span, attributes) if server_spans() else None


def _placed(span: ReadableSpan, attributes: Mapping[str, Any]) -> ReadableSpan:
    kept = {name: value for name, value in attributes.items() if name not in (PARENT, NEW_NAME)}
    name, parent = str(attributes.get(NEW_NAME, span.name)), _parent(span, attributes.get(PARENT))
    # Langfuse does not name a trace after its root.
    named = {_TRACE_NAME: name, **kept} if parent is None else kept
    return _copy(span, name, named, parent)


def _parent(span: ReadableSpan, marked: Any) -> SpanContext | None:
    own = span.get_span_context()
    if marked and own is not None:
        return SpanContext(own.trace_id, int(str(marked), 16), is_remote=True)
    # Begun before the first request with a link, it may only be under a server span.
    return span.parent if marked is None and span.parent and span.parent.is_remote else None


def _plain(span: ReadableSpan, attributes: Mapping[str, Any]) -> ReadableSpan:
    kept = {name: value for name, value in attributes.items() if not name.startswith("gen_ai.")}
    return _copy(span, span.name, {**kept, TYPE: "span"}, span.parent)


def _copy(
    span: ReadableSpan, name: str, attributes: Mapping[str, Any], parent: SpanContext | None
) -> ReadableSpan:
    return ReadableSpan(
        name=name,
        context=span.context,
        parent=parent,
        resource=span.resource,
        attributes=attributes,
        events=span.events,
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
