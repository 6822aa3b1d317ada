"""The usage and cost a span gives (extractUsageDetails, extractCostDetails).

https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/otel/OtelIngestionProcessor.ts
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = {
    "prompt_tokens": "input",
    "completion_tokens": "output",
    "total_tokens": "total",
    "input_tokens": "input",
    "output_tokens": "output",
    "prompt": "input",
    "completion": "output",
}


def given_usage(attributes: Mapping[str, Any]) -> Any:
    """The usage a span gives: Langfuse's own JSON, or the semantic conventions' counters."""
    given = _json(attributes.get("langfuse.observation.usage_details"))
    if given is not None:
        return given
    counts: dict[str, Any] = {}
    for key, value in attributes.items():
        for prefix in ("gen_ai.usage.", "llm.token_count."):
            name = key[len(prefix) :]
            if key.startswith(prefix) and name != "cost" and _is_number(value):
                counts[_NAMES.get(name, name)] = float(value)
    return counts


def given_cost(attributes: Mapping[str, Any]) -> Any:
    """The cost a span gives: Langfuse's own JSON, or `gen_ai.usage.cost`."""
    given = _json(attributes.get("langfuse.observation.cost_details"))
    if given is not None:
        return given
    total = attributes.get("gen_ai.usage.cost")
    return {"total": total} if total else {}


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return None
