"""The usage and cost a span gives (extractUsageDetails, extractCostDetails).

https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/otel/OtelIngestionProcessor.ts
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIXES = ("gen_ai.usage.", "llm.token_count.")
_TOTAL_COSTS = ("gen_ai.usage.cost", "llm.cost.total")

# What Langfuse calls a counter, and the names it has in the conventions, first one first.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "input": ("prompt_tokens", "input_tokens", "prompt"),
    "output": ("completion_tokens", "output_tokens", "completion"),
    "total": ("total_tokens", "total"),
    "input_cached_tokens": (
        "cache_read.input_tokens",
        "cache_read_input_tokens",
        "cache_read_tokens",
        "details.cache_read_tokens",
        "details.cache_read_input_tokens",
        "prompt_details.cache_read",
        "input_cached_tokens",
    ),
    "input_cache_creation": (
        "cache_creation.input_tokens",
        "cache_creation_input_tokens",
        "cache_write_tokens",
        "details.cache_write_tokens",
        "details.cache_creation_input_tokens",
        "prompt_details.cache_write",
        "input_cache_creation",
    ),
    "output_reasoning_tokens": ("reasoning.output_tokens", "completion_details.reasoning"),
    "output_audio_tokens": ("completion_details.audio",),
}
_NAMED = frozenset(name for names in _NAMES.values() for name in names)
_PARTS = {
    "input": ("input_cached_tokens", "input_cache_creation"),
    "output": ("output_reasoning_tokens", "output_audio_tokens"),
}


def sums_its_calls(attributes: Mapping[str, Any]) -> bool:
    """Whether the span repeats what the spans of its calls say, and so does not count.

    isAiSdkAgentOperation, in the same file.
    """
    return attributes.get("gen_ai.operation.name") in ("invoke_agent", "agent_step")


def given_usage(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The usage a span gives: Langfuse's own JSON, or the semantic conventions' counters."""
    given = _object(attributes, "langfuse.observation.usage_details")
    return _counters(attributes) if given is None else given


def given_cost(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The cost a span gives: Langfuse's own JSON, or a total of the conventions'."""
    given = _object(attributes, "langfuse.observation.cost_details")
    if given is not None:
        return given
    totals = [attributes[key] for key in _TOTAL_COSTS if attributes.get(key) not in (None, "")]
    return {"total": totals[0]} if totals else {}


def _counters(attributes: Mapping[str, Any]) -> dict[str, float]:
    """The counters by Langfuse's names; the parts of input and output are taken off them."""
    raw = _raw_counters(attributes)
    counts = {k.removeprefix("details."): v for k, v in raw.items() if k not in _NAMED}
    for ours, theirs in _NAMES.items():
        found = [raw[name] for name in theirs if name in raw]
        if found:
            counts[ours] = found[0]
    for whole, parts in _PARTS.items():
        if whole in counts:
            counts[whole] = max(counts[whole] - sum(counts.get(part, 0) for part in parts), 0)
    return counts


def _raw_counters(attributes: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for key, value in attributes.items():
        for prefix in _PREFIXES:
            if key.startswith(prefix) and key not in _TOTAL_COSTS and _is_number(value):
                found[key[len(prefix) :]] = float(value)
    return found


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _object(attributes: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    """A JSON object; an empty one for other JSON, None for no JSON."""
    value = attributes.get(key)
    try:
        value = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return value if value is None or isinstance(value, dict) else {}
