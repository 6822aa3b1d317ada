"""Requests to the recorder, made by hand, and what came of them."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracesplice_testing.recorder import Observation, Recorder


TRACE = "0af7651916cd43dd8448eb211c80319c"
GENERATION = "langfuse.observation.type"
USAGE = "langfuse.observation.usage_details"
COST = "langfuse.observation.cost_details"
PROMPT = "langfuse.observation.prompt.name"
VERSION = "langfuse.observation.prompt.version"
OTEL = "/api/public/otel/v1/traces"
MESSAGES = [{"role": "system", "content": "Hi {{name}}"}, {"type": "placeholder", "name": "past"}]


def call(
    rec: Recorder,
    path: str,
    body: bytes | dict[str, Any] | None = None,
    *,
    keys: str | None = None,
    **headers: str,
) -> tuple[int, Any]:
    """One request; the status and the JSON of the answer."""
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    token = base64.b64encode((keys or f"{rec.public_key}:{rec.secret_key}").encode()).decode()
    sent = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(rec.url + path, data, sent)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def value(raw: Any) -> dict[str, Any]:
    if isinstance(raw, bool):
        return {"boolValue": raw}
    if isinstance(raw, list):
        return {"arrayValue": {"values": [value(item) for item in raw]}}
    kinds = {int: "intValue", float: "doubleValue", str: "stringValue"}
    return {kinds[type(raw)]: str(raw) if isinstance(raw, int) else raw}


def pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value(raw)} for key, raw in attributes.items()]


def spans(
    *made: dict[str, Any], scope: str = "test", resource: dict[str, Any] | None = None
) -> dict[str, Any]:
    group = {
        "resource": {"attributes": pairs(resource or {})},
        "scopeSpans": [{"scope": {"name": scope}, "spans": list(made)}],
    }
    return {"resourceSpans": [group]}


def span(number: int = 1, parent: int | None = None, /, **attributes: Any) -> dict[str, Any]:
    """A span in OTLP's JSON; it starts `number` seconds after 1970."""
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "name": f"span {number}",
        "startTimeUnixNano": str(number * 10**9),
        "endTimeUnixNano": str(number * 10**9 + 5 * 10**8),
        "attributes": pairs(attributes),
        **({"parentSpanId": f"{parent:016x}"} if parent else {}),
    }


def send(rec: Recorder, *made: dict[str, Any], **more: Any) -> None:
    assert call(rec, OTEL, spans(*made, **more)) == (200, {})


def observed(rec: Recorder, **attributes: Any) -> Observation:
    """The one observation that a span of these attributes becomes."""
    rec.clear()
    send(rec, span(**attributes))
    (observation,) = rec.observations()
    return observation


def kinds(rec: Recorder) -> list[str]:
    return [problem.kind for problem in rec.problems()]


def event(kind: str, body: dict[str, Any], number: int = 1) -> dict[str, Any]:
    at = f"2026-01-01T00:00:{number:02d}.000Z"
    return {"id": f"event-{kind}-{number}", "type": kind, "timestamp": at, "body": body}


def ingest(rec: Recorder, *events: dict[str, Any]) -> dict[str, Any]:
    status, answer = call(rec, "/api/public/ingestion", {"batch": list(events)})
    assert status == 207
    assert isinstance(answer, dict)
    return answer
