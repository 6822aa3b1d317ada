"""The schema of the older JSON batch's events.

https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/ingestion/types.ts
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ._types import LEVELS, TYPES
from ._usage import cost_details, usage_details

Event = Mapping[str, Any]
GENERATION_LIKE = TYPES - {"SPAN", "EVENT"}
_OBSERVATIONS = {f"{name.lower()}-create": name for name in TYPES} | {
    "span-update": "SPAN",
    "generation-update": "GENERATION",
}
# Legacy events say their type in the body.
_LEGACY = ("observation-create", "observation-update")
IGNORED = ("score-create", "sdk-log")
_TIMES = ("timestamp", "startTime", "endTime", "completionStartTime")
_MAX_TRACE_NAME = 1000


def check(event: Any) -> None:
    """ValueError for what the schema refuses."""
    if not isinstance(event, dict) or not isinstance(event.get("id"), str) or not event["id"]:
        raise ValueError("an event needs an id")
    moment(event.get("timestamp"))
    body, kind = event.get("body"), event.get("type")
    if not isinstance(body, dict):
        raise ValueError("body is no object")
    if kind in IGNORED:
        return
    if kind not in ("trace-create", *_OBSERVATIONS, *_LEGACY):
        raise ValueError(f"unknown type {kind!r}")
    for key in _TIMES:
        if body.get(key) is not None:
            moment(body[key])
    if kind == "trace-create":
        _check_trace(body)
    else:
        _check_observation(observation_type(event), body)


def _check_trace(body: Event) -> None:
    for key in ("id", "name", "userId", "sessionId", "release", "version"):
        if not isinstance(body.get(key), (str, type(None))):
            raise ValueError(f"{key} is no string")
    if len(body.get("name") or "") > _MAX_TRACE_NAME:
        raise ValueError(f"name is over {_MAX_TRACE_NAME} characters")
    if not all(isinstance(tag, str) for tag in body.get("tags") or ()):
        raise ValueError("tags are no strings")


def _check_observation(kind: str, body: Event) -> None:
    if kind not in TYPES:
        raise ValueError(f"unknown observation type {kind!r}")
    if body.get("level") is not None and body["level"] not in LEVELS:
        raise ValueError(f"level {body['level']!r} is not one of {', '.join(LEVELS)}")
    if kind not in GENERATION_LIKE:
        return
    usage_details(body.get("usageDetails"))
    cost_details(body.get("costDetails"), negative=False)
    name, version = body.get("promptName"), body.get("promptVersion")
    if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
        raise ValueError(f"promptVersion {version!r} is no integer")
    if bool(name) != bool(version):
        raise ValueError(f"promptName {name!r} with promptVersion {version!r}: needs both")


def observation_type(event: Event) -> str:
    """The observation type an event speaks of; legacy events say it in the body."""
    return _OBSERVATIONS.get(event["type"]) or str(event["body"].get("type"))


def moment(value: Any) -> datetime:
    """An ISO time with its zone; the schema takes no other."""
    try:
        time = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except (AttributeError, ValueError) as error:
        raise ValueError(f"{value!r} is no ISO time") from error
    if time.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return time
