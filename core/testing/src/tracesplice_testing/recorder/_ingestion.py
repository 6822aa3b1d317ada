"""The older JSON batch: `POST /api/public/ingestion`, as SDKs before version 3 use it.

Validation and the 207 answer (processEventBatch, aggregateBatchResult):
https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/ingestion/processEventBatch.ts
The merging of create and update:
https://github.com/langfuse/langfuse/blob/main/worker/src/services/IngestionService/index.ts
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ._draft import Draft, TraceWrite
from ._events import GENERATION_LIKE, IGNORED, Event, check, moment, observation_type
from ._usage import usage_details

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._store import Project


def ingest(project: Project, batch: list[Any]) -> dict[str, Any]:
    """Stores a batch; the answer names each event that was taken and each that was not."""
    successes: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    touched: dict[str, None] = {}
    for event in sorted(batch, key=_order):
        event_id = _event_id(event)
        try:
            check(event)
        except ValueError as error:
            errors.append(_refusal(event_id, str(error)))
            project.refuse(f"event {event_id}: {error}", name=_name(event))
            continue
        if event["type"] != "sdk-log":
            successes.append({"id": event_id, "status": 201})
        touched.update(_keep(project, event))
    for observation_id in touched:
        project.put(_draft(observation_id, project.events[observation_id]))
    return {"successes": successes, "errors": errors}


def _keep(project: Project, event: Event) -> dict[str, None]:
    """Stores one event; the id of the observation it belongs to, if any."""
    body = event["body"]
    if event["type"] in IGNORED:
        return {}
    if not body.get("id"):
        project.refuse(f"{event['type']} without a body id is stored nowhere", name=_name(event))
        return {}
    if event["type"] == "trace-create":
        project.write(_trace_write(event))
        return {}
    project.events.setdefault(body["id"], []).append(event)
    return {body["id"]: None}


def _trace_write(event: Event) -> TraceWrite:
    body = event["body"]
    about = {
        "user_id": body.get("userId"),
        "session_id": body.get("sessionId"),
        "tags": tuple(body.get("tags") or ()),
        "environment": body.get("environment"),
    }
    told = {key: body.get(key) for key in ("name", "input", "output")}
    return TraceWrite(body["id"], moment(event["timestamp"]), about, told, own=told)


def _draft(observation_id: str, events: Iterable[Event]) -> Draft:
    """Creates and updates merged: later values win; trace, start and environment stay."""
    ordered = sorted(events, key=lambda e: (moment(e["timestamp"]), "create" not in e["type"]))
    merged: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    for event in ordered:
        given = {k: v for k, v in event["body"].items() if v is not None and v != {}}
        fixed = {k: merged[k] for k in ("traceId", "startTime", "environment") if k in merged}
        said = given.get("metadata", {})
        metadata |= said if isinstance(said, dict) else {"metadata": said}
        merged |= given | fixed
    first = ordered[0]
    kind = observation_type(first)
    linked = merged if kind in GENERATION_LIKE else {}
    return Draft(
        id=observation_id,
        trace_id=merged.get("traceId") or str(uuid.uuid4()),
        parent_id=merged.get("parentObservationId"),
        name=merged.get("name", ""),
        type=kind,
        start=moment(merged.get("startTime") or first["timestamp"]),
        end=moment(merged["endTime"]) if merged.get("endTime") else None,
        model=linked.get("model"),
        input=merged.get("input"),
        output=merged.get("output"),
        level=merged.get("level", "DEFAULT"),
        status_message=merged.get("statusMessage"),
        usage=_usage(linked),
        cost=_cost(linked),
        prompt_name=merged.get("promptName"),
        prompt_version=merged.get("promptVersion"),
        environment=merged.get("environment", "default"),
        metadata=metadata,
        attributes=merged,
        scope="ingestion",
        is_event=True,
    )


def _usage(body: Event) -> dict[str, Any]:
    """`usage` in either of its shapes, then `usageDetails` over it."""
    usage = body.get("usage") or {}
    older = {
        "input": usage.get("promptTokens", usage.get("input")),
        "output": usage.get("completionTokens", usage.get("output")),
        "total": usage.get("totalTokens", usage.get("total")),
    }
    given = {k: v for k, v in older.items() if v is not None}
    return given | usage_details(body.get("usageDetails"))


def _cost(body: Event) -> dict[str, Any]:
    usage = body.get("usage") or {}
    older = {k: usage.get(f"{k}Cost") for k in ("input", "output", "total")}
    given = {k: v for k, v in older.items() if v is not None}
    return given | (body.get("costDetails") or {})


def _order(event: Any) -> bool:
    return isinstance(event, dict) and str(event.get("type")).endswith("-update")


def _event_id(event: Any) -> str:
    found = event.get("id") if isinstance(event, dict) else None
    return found if isinstance(found, str) else "unknown"


def _name(event: Any) -> str | None:
    body = event.get("body") if isinstance(event, dict) else None
    return str(body.get("name")) if isinstance(body, dict) and body.get("name") else None


def _refusal(event_id: str, reason: str) -> dict[str, Any]:
    return {"id": event_id, "status": 400, "message": "Invalid request data", "error": reason}
