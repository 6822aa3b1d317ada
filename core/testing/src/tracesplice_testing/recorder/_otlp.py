"""OTLP trace requests, protobuf or JSON, as plain spans.

The endpoint and the two content types:
https://github.com/langfuse/langfuse/blob/main/web/src/pages/api/public/otel/v1/traces/index.ts
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_STATUS_ERROR = 2


class BadRequestError(ValueError):
    """A request Langfuse answers with 400; the text is its answer."""


@dataclass(frozen=True)
class Span:
    """One OTLP span with what its resource and scope say. Ids are hex; empty where absent."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start: datetime
    end: datetime
    attributes: dict[str, Any]
    events: tuple[tuple[str, dict[str, Any]], ...]
    error: bool
    status_message: str | None
    scope: str
    scope_version: str
    scope_attributes: dict[str, Any]
    resource: dict[str, Any]


def decode(body: bytes, content_type: str, content_encoding: str) -> list[Span]:
    """The spans of one request body."""
    if "gzip" in content_encoding:
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError) as error:
            raise BadRequestError("Failed to decompress request body") from error
    if "application/x-protobuf" in content_type:
        return list(_from_protobuf(body))
    if "application/json" in content_type:
        return list(_from_json(body))
    raise BadRequestError("Invalid content type")


def _from_protobuf(body: bytes) -> Iterator[Span]:
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except Exception as error:  # protobuf's DecodeError differs between its implementations
        raise BadRequestError("Failed to parse OTel Protobuf Trace") from error
    for group in request.resource_spans:
        resource = _proto_attributes(group.resource.attributes)
        for scoped in group.scope_spans:
            for span in scoped.spans:
                yield _proto_span(span, scoped.scope, resource)


def _proto_span(span: Any, scope: Any, resource: dict[str, Any]) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex() or None,
        name=span.name,
        attributes=_proto_attributes(span.attributes),
        events=tuple((event.name, _proto_attributes(event.attributes)) for event in span.events),
        error=span.status.code == _STATUS_ERROR,
        status_message=span.status.message or None,
        scope=scope.name,
        scope_version=scope.version,
        scope_attributes=_proto_attributes(scope.attributes),
        resource=resource,
        **_times(span.start_time_unix_nano, span.end_time_unix_nano),
    )


def _proto_attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: _proto_value(pair.value) for pair in pairs}


def _proto_value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_proto_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return json.dumps(_proto_attributes(value.kvlist_value.values))
    return getattr(value, kind) if kind else None


def _from_json(body: bytes) -> Iterator[Span]:
    try:
        groups = json.loads(body).get("resourceSpans") or []
    except (ValueError, AttributeError) as error:
        raise BadRequestError("Failed to parse OTel JSON Trace") from error
    for group in groups:
        resource = _json_attributes((group.get("resource") or {}).get("attributes"))
        for scoped in group.get("scopeSpans") or []:
            for span in scoped.get("spans") or []:
                # Of any length, but there (validateOtelSpanIds).
                if not all(isinstance(span.get(key), str) for key in ("traceId", "spanId")):
                    raise BadRequestError("Invalid span ids")
                yield _json_span(span, scoped.get("scope") or {}, resource)


def _json_span(span: dict[str, Any], scope: dict[str, Any], resource: dict[str, Any]) -> Span:
    status = span.get("status") or {}
    events = span.get("events") or []
    return Span(
        trace_id=span.get("traceId") or "",
        span_id=span.get("spanId") or "",
        parent_id=span.get("parentSpanId") or None,
        name=span.get("name") or "",
        attributes=_json_attributes(span.get("attributes")),
        events=tuple((e.get("name", ""), _json_attributes(e.get("attributes"))) for e in events),
        error=status.get("code") in (_STATUS_ERROR, "STATUS_CODE_ERROR"),
        status_message=status.get("message") or None,
        scope=scope.get("name") or "",
        scope_version=scope.get("version") or "",
        scope_attributes=_json_attributes(scope.get("attributes")),
        resource=resource,
        **_times(span.get("startTimeUnixNano"), span.get("endTimeUnixNano")),
    )


def _json_attributes(pairs: Any) -> dict[str, Any]:
    return {pair["key"]: _json_value(pair.get("value") or {}) for pair in pairs or []}


def _json_value(value: dict[str, Any]) -> Any:
    for kind, content in value.items():
        if kind == "arrayValue":
            return [_json_value(item) for item in content.get("values") or []]
        if kind == "kvlistValue":
            return json.dumps(_json_attributes(content.get("values")))
        return int(content) if kind == "intValue" else content
    return None


def _times(start: Any, end: Any) -> dict[str, datetime]:
    """Start and end; where one is missing the other stands in, as Langfuse does."""
    first, last = _time(start), _time(end)
    fallback = first or last or datetime.now(timezone.utc)
    return {"start": first or fallback, "end": last or fallback}


def _time(nanoseconds: Any) -> datetime | None:
    if not nanoseconds:
        return None
    # Whole microseconds: a float of nanoseconds since 1970 has lost that precision already.
    seconds, rest = divmod(int(nanoseconds), 10**9)
    return datetime.fromtimestamp(seconds, timezone.utc).replace(microsecond=rest // 1000)
