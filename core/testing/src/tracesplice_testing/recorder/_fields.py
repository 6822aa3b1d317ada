"""An observation's fields as the public API names them, by its field groups.

ObservationV2 in https://github.com/langfuse/langfuse-python/tree/main/langfuse/api
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracesplice_view import Observation

_METADATA_LENGTH = 200


def text(value: Any) -> str | None:
    """A value as the text Langfuse stores."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def time(value: datetime) -> str:
    """UTC with a Z."""
    return value.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def core(observation: Observation) -> dict[str, Any]:
    return {
        "id": observation.id,
        "traceId": observation.trace_id,
        "startTime": time(observation.start),
        "endTime": time(observation.end) if observation.end else None,
        "projectId": observation.project,
        "parentObservationId": observation.parent_id,
        "type": observation.type,
    }


def basic(observation: Observation) -> dict[str, Any]:
    app_root = str(observation.attributes.get("langfuse.internal.is_app_root")).lower() == "true"
    return {
        "name": observation.name,
        "level": observation.level,
        "statusMessage": observation.status_message,
        "version": None,
        "environment": observation.environment,
        "bookmarked": False,
        "public": False,
        "userId": observation.user_id,
        "sessionId": observation.session_id,
        "isRootObservation": observation.parent_id is None or app_root,
    }


def written(observation: Observation) -> dict[str, Any]:
    at = time(observation.end or observation.start)
    return {"createdAt": at, "updatedAt": at}


def model(observation: Observation) -> dict[str, Any]:
    empty = ("internalModelId", "modelId", "inputPrice", "outputPrice", "totalPrice")
    return {"model": observation.model, "modelParameters": None, **dict.fromkeys(empty)}


def usage(observation: Observation) -> dict[str, Any]:
    return {
        "usageDetails": observation.usage,
        "costDetails": {"total": observation.cost},
        "totalCost": observation.cost,
    }


def latency(observation: Observation) -> float | None:
    return (observation.end - observation.start).total_seconds() if observation.end else None


def metadata(metadata: Mapping[str, Any], expand: set[str]) -> dict[str, str]:
    texts = {key: text(value) or "" for key, value in metadata.items()}
    return {k: v if k in expand else v[:_METADATA_LENGTH] for k, v in texts.items()}
