"""What the public API answers: observations in both versions, and traces.

The fields: the types of `langfuse.api` in the SDK (ObservationV2, ObservationsView,
TraceWithFullDetails), https://github.com/langfuse/langfuse-python/tree/main/langfuse/api
"""

from __future__ import annotations

import base64
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from . import _fields

if TYPE_CHECKING:
    from tracesplice_view import Observation, Trace

    from ._prompts import Prompts

GROUPS = [
    "core",
    "basic",
    "time",
    "io",
    "metadata",
    "model",
    "usage",
    "prompt",
    "metrics",
    "trace_context",
]


# https://github.com/langfuse/langfuse/tree/main/web/src/features/public-api/types/observations.ts
_NOT_OLDER = (
    "userId",
    "sessionId",
    "isRootObservation",
    "bookmarked",
    "public",
    "totalCost",
    "internalModelId",
)


class Views:
    """The API's view of one project's data."""

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts

    def v2(
        self, observation: Observation, groups: set[str], expand: set[str], trace: Trace | None
    ) -> dict[str, Any]:
        """`GET /api/public/v2/observations`: fields by group, input and output as text."""
        found = {
            "core": _fields.core(observation),
            "basic": _fields.basic(observation),
            "time": _fields.written(observation) | {"completionStartTime": None},
            "io": {
                "input": _fields.text(observation.input),
                "output": _fields.text(observation.output),
            },
            "metadata": {"metadata": _fields.metadata(observation.metadata, expand)},
            "model": _fields.model(observation),
            "usage": _fields.usage(observation) | {"usagePricingTierName": None},
            "prompt": self._prompt(observation),
            "metrics": {"latency": _fields.latency(observation), "timeToFirstToken": None},
            "trace_context": {
                "tags": list(observation.tags),
                "release": None,
                "traceName": trace.name if trace else None,
            },
        }
        return {k: v for group in GROUPS if group in groups for k, v in found[group].items()}

    def v1(self, observation: Observation) -> dict[str, Any]:
        """`GET /api/public/observations`: input and output as values, nothing of the trace's."""
        usage = observation.usage
        counts = {k: usage.get(k, 0) for k in ("input", "output", "total")}
        fields = {
            **_fields.core(observation),
            **_fields.basic(observation),
            **_fields.written(observation),
            **_fields.model(observation),
            **_fields.usage(observation),
            **self._prompt(observation),
        }
        return {
            **{name: value for name, value in fields.items() if name not in _NOT_OLDER},
            "input": observation.input,
            "output": observation.output,
            "metadata": observation.metadata,
            "completionStartTime": None,
            "usage": counts | {"unit": "TOKENS"},
            "calculatedTotalCost": observation.cost,
            "latency": _fields.latency(observation),
            "timeToFirstToken": None,
        }

    def trace(self, trace: Trace, *, full: bool) -> dict[str, Any]:
        """`GET /api/public/traces` (observation ids), or with `full` one trace of it."""
        observations = trace.observations
        started = min((o.start for o in observations), default=datetime.now(timezone.utc))
        ended = max((o.end or o.start for o in observations), default=started)
        return {
            "id": trace.id,
            "projectId": trace.project,
            "timestamp": _fields.time(started),
            "createdAt": _fields.time(started),
            "updatedAt": _fields.time(ended),
            "name": trace.name,
            "userId": trace.user_id,
            "sessionId": trace.session_id,
            "tags": list(trace.tags),
            "environment": trace.environment,
            "input": trace.input,
            "output": trace.output,
            "metadata": {},
            "release": None,
            "version": None,
            "public": False,
            "bookmarked": False,
            "htmlPath": f"/project/{trace.project}/traces/{trace.id}",
            "latency": (ended - started).total_seconds(),
            "totalCost": trace.cost,
            "observations": [self.v1(o) if full else o.id for o in observations],
            "scores": [],
        }

    def _prompt(self, observation: Observation) -> dict[str, Any]:
        name, version = observation.prompt_name, observation.prompt_version
        prompt = self._prompts.find(name, version=version) if name and version else None
        return {
            "promptId": prompt.id if prompt else None,
            "promptName": name,
            "promptVersion": version,
        }


def cursor(observation: Observation) -> str:
    """An opaque mark of the last observation on a page."""
    return base64.b64encode(observation.id.encode()).decode()


def after(cursor: str, observations: list[Observation]) -> list[Observation]:
    """What comes after the observation a cursor marks; ValueError if it marks none."""
    last = base64.b64decode(cursor, validate=True).decode()
    ids = [observation.id for observation in observations]
    return observations[ids.index(last) + 1 :]
