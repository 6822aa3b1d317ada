"""Traces from the rows of Langfuse's API."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tracesplice_view._model import Observation, Trace, parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["trace_of"]

# What the older endpoint leaves to the trace.
_OF_TRACE = ("userId", "sessionId", "tags")


def trace_of(trace_id: str, rows: list[dict[str, Any]], told: Mapping[str, Any]) -> Trace:
    """A trace from the rows of its observations, and what is told of it as a whole, if anything."""
    said = told or _said_by(rows)
    of_all = {name: said.get(name) for name in _OF_TRACE}
    # Pages that are counted move on as observations arrive, and show some of them twice.
    once = {row["id"]: {**of_all, **row} for row in rows}.values()
    observations = tuple(sorted(map(_observation, once), key=lambda o: (o.start, o.id)))
    return Trace(
        id=trace_id,
        name=said.get("name") or None,
        user_id=said.get("userId") or None,
        session_id=said.get("sessionId") or None,
        tags=tuple(said.get("tags") or ()),
        environment=said.get("environment") or "default",
        input=parsed(said.get("input")),
        output=parsed(said.get("output")),
        observations=observations,
        project=observations[0].project,
    )


def _observation(row: Mapping[str, Any]) -> Observation:
    metadata = _metadata(row.get("metadata"))
    resource, scope = metadata.get("resourceAttributes"), metadata.get("scope")
    # The newer storage repeats the name as it was sent; only an id says that it was found.
    linked = bool(row.get("promptId"))
    end = row.get("endTime")
    return Observation(
        id=row["id"],
        trace_id=row.get("traceId") or "",
        parent_id=row.get("parentObservationId") or None,
        name=row.get("name") or "",
        type=row["type"],
        start=_time(row["startTime"]),
        end=_time(end) if end else None,
        model=row.get("model") or row.get("providedModelName") or None,
        input=parsed(row.get("input")),
        output=parsed(row.get("output")),
        level=row.get("level") or "DEFAULT",
        status_message=row.get("statusMessage") or None,
        usage={key: int(_number(used)) for key, used in (row.get("usageDetails") or {}).items()},
        cost=_cost(row),
        prompt_name=row.get("promptName") if linked else None,
        prompt_version=row.get("promptVersion") if linked else None,
        user_id=row.get("userId") or None,
        session_id=row.get("sessionId") or None,
        tags=tuple(row.get("tags") or ()),
        environment=row.get("environment") or "default",
        metadata=metadata,
        scope=str(scope.get("name", "")) if isinstance(scope, dict) else "",
        service=str(resource.get("service.name", "")) if isinstance(resource, dict) else "",
        project=row.get("projectId") or "",
    )


def _cost(row: Mapping[str, Any]) -> float:
    costs = (row.get("totalCost"), row.get("calculatedTotalCost"))
    given = next((cost for cost in costs if cost is not None), None)
    return _number((row.get("costDetails") or {}).get("total") if given is None else given)


def _number(value: Any) -> float:
    """0 for what is none."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return found if math.isfinite(found) else 0.0


def _metadata(value: Any) -> dict[str, Any]:
    # The older API takes any value, and the newer storage gives it this name.
    named = value if isinstance(value, dict) else {"metadata": value} if value else {}
    return {key: parsed(each) for key, each in named.items()}


def _time(value: str) -> datetime:
    return datetime.fromisoformat(value.replace("Z", "+00:00"))


def _said_by(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A trace's own fields from its observations, for a server without the traces endpoint."""
    said: dict[str, Any] = {"tags": sorted({tag for row in rows for tag in row.get("tags") or ()})}
    for ours, theirs in (("name", "traceName"), ("userId", "userId"), ("sessionId", "sessionId")):
        said[ours] = next((row[theirs] for row in rows if row.get(theirs)), None)
    root = next((row for row in rows if not row.get("parentObservationId")), {})
    return said | {key: root.get(key) for key in ("input", "output", "environment")}
