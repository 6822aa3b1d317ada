"""What a span says was used, as a Langfuse server reads it.

https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/otel/OtelIngestionProcessor.ts
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeGuard

from tracesplice._outputs import has_output
from tracesplice._used import Used

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Usage", "Zeros", "says_usage"]

_USAGE = "langfuse.observation.usage_details"
_COST = "langfuse.observation.cost_details"

# Where instrumentations that are not Langfuse's say what was used.
_COUNTERS = ("gen_ai.usage.", "llm.token_count.", "llm.usage.", "llm.cost.")
_TOKEN_COUNTERS = _COUNTERS[:3]
_COSTS = ("gen_ai.usage.cost", "llm.cost.total")
_NUMBER = (int, float)
_DECODER = json.JSONDecoder()
_LIMIT = 2**63  # Langfuse stores no larger number
_TOTALS = ("input", "output", "total")
# Kinds of usage, and the names they have; the first that a span has counts.
_NAMES: dict[str, tuple[str, ...]] = {
    "total": ("total", "total_tokens"),
    "input": ("input", "prompt_tokens", "input_tokens", "prompt"),
    "output": ("output", "completion_tokens", "output_tokens", "completion"),
    "input_cached_tokens": (
        "input_cached_tokens",
        "cache_read.input_tokens",
        "cache_read_input_tokens",
        "cache_read_tokens",
        "details.cache_read_tokens",
        "details.cache_read_input_tokens",
        "prompt_details.cache_read",
    ),
    "input_cache_creation": (
        "input_cache_creation",
        "cache_creation.input_tokens",
        "cache_creation_input_tokens",
        "cache_write_tokens",
        "cache_write_input_tokens",
        "details.cache_write_tokens",
        "details.cache_creation_input_tokens",
        "prompt_details.cache_write",
    ),
    "output_reasoning_tokens": (
        "output_reasoning_tokens",
        "reasoning.output_tokens",
        "completion_details.reasoning",
    ),
    "output_audio_tokens": ("output_audio_tokens", "completion_details.audio"),
}
_KINDS = {name: (kind, rank) for kind, names in _NAMES.items() for rank, name in enumerate(names)}
# Counters of these kinds are part of the input and of the output.
_PARTS = {
    "input": ("input_cached_tokens", "input_cache_creation"),
    "output": ("output_reasoning_tokens", "output_audio_tokens"),
}
# What Langfuse calls by the names above.
_RENAMED = frozenset(
    {"prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens"}
)
_NAMED = frozenset({*_TOTALS, *_RENAMED})

Zeros = tuple[dict[str, str], list[str]]
"""Attributes to set, and keys of those to delete, so that a span says what it is to say."""


def says_usage(attributes: Mapping[str, Any], is_users: bool = False) -> bool:
    """Return whether a span says itself what was used.

    Args:
        attributes: The span's.
        is_users: Whether Langfuse's SDK made it, which has one way to say so.
    """
    if is_users:
        return _USAGE in attributes or _COST in attributes
    keys = "\n".join(attributes)  # spans are many, and most say nothing
    if "usage" not in keys and "_count" not in keys and "cost" not in keys:
        return False
    return any(key in (_USAGE, _COST) or key.startswith(_COUNTERS) for key in attributes)


class Usage:
    """What a span says was used.

    Args:
        attributes: The span's.
    """

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self._attributes = attributes
        self._usage = _details(attributes.get(_USAGE))
        self._cost = _details(attributes.get(_COST))
        self._used: Used | None = None
        self._says_tokens = False

    @property
    def tokens(self) -> float | None:
        """How many tokens were used in all, None where it does not say."""
        used = self.used
        return used.tokens if self._says_tokens else None

    @property
    def used(self) -> Used:
        """Tokens by kind, without those that are part of others, and cost."""
        if self._used is None:  # `cached_property` takes a lock
            kinds = self._kinds()
            self._says_tokens = bool(kinds)
            total = kinds.pop("total", None)
            self._used = Used(sum(kinds.values()) if total is None else total, kinds, self._dollars)
        return self._used

    @property
    def failed(self) -> bool:
        """Whether the span reads like that of a failed call: an error or no output, no usage."""
        if self.used:
            return False
        failed = self._attributes.get("langfuse.observation.level") == "ERROR"
        return failed or not has_output(self._attributes)

    def zeroed(self) -> Zeros:
        """Work out how the span comes to say that nothing was used.

        To leave usage out is not enough: Langfuse counts the tokens of an observation that has a
        model and no usage itself (``getUsageUnits`` in
        https://github.com/langfuse/langfuse/blob/main/worker/src/services/IngestionService/index.ts).
        """
        nothing = {
            _USAGE: _zeros(*_more_kinds(self._usage)),
            _COST: _zeros(*_more_kinds(self._cost)),
        }
        return nothing, self._counters

    def changed(self, used: Used) -> Zeros:
        """Work out how the span comes to say that ``used`` was used, which is not nothing."""
        said, counters = {_USAGE: json.dumps(used.details)}, self._counters
        if used.cost:
            said[_COST] = json.dumps({"total": used.cost})
        elif _COST in self._attributes:
            counters.append(_COST)  # so that Langfuse prices what is left
        return said, counters

    @property
    def _counters(self) -> list[str]:
        return [key for key in self._attributes if key.startswith(_COUNTERS)]

    def _kinds(self) -> dict[str, float]:
        kinds = {k: v for k, v in self._usage.items() if _is_amount(v)}
        # Langfuse's own details are kinds as they are counted; OpenAI's and the counters overlap.
        if not kinds or not _RENAMED.isdisjoint(kinds):
            kinds = _by_kind(kinds or _counted(self._attributes))
        return kinds

    @property
    def _dollars(self) -> float:
        if self._cost:
            said = {k: v for k, v in self._cost.items() if _is_amount(v)}
            if said:
                return float(said.get("total") or sum(said.values()))
        costs = (self._attributes.get(key) for key in _COSTS)
        return float(next((cost for cost in costs if _is_amount(cost)), 0))


def _counted(attributes: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for key, value in attributes.items():
        if key.startswith(_TOKEN_COUNTERS) and _is_amount(value) and key not in _COSTS:
            found.setdefault(_without_prefix(key), value)
    return found


def _is_amount(value: Any) -> TypeGuard[float]:
    return isinstance(value, _NUMBER) and abs(value) < _LIMIT  # neither infinite nor NaN


def _without_prefix(key: str) -> str:
    for prefix in _TOKEN_COUNTERS:
        if key.startswith(prefix):
            return key[len(prefix) :]
    return key


def _by_kind(found: Mapping[str, float]) -> dict[str, float]:
    kinds: dict[str, float] = {}
    ranks: dict[str, int] = {}
    for name, value in found.items():
        kind, rank = _KINDS.get(name, (name, 0))
        if rank <= ranks.get(kind, rank):
            kinds[kind], ranks[kind] = value, rank
    for whole, parts in _PARTS.items():
        if whole in kinds:
            kinds[whole] = max(kinds[whole] - sum(kinds.get(part, 0) for part in parts), 0)
    return kinds


@lru_cache(maxsize=64)
def _zeros(*kinds: str) -> str:
    return json.dumps(dict.fromkeys((*_TOTALS, *kinds), 0))


def _more_kinds(details: Mapping[str, Any]) -> list[str]:
    # Each kind of usage or cost that was there is to be zero, but not by two names.
    if _NAMED.issuperset(details):
        return []
    return [
        kind for kind, value in details.items() if kind not in _NAMED and isinstance(value, _NUMBER)
    ]


def _details(given: object) -> Mapping[str, Any]:
    text = given.strip() if isinstance(given, str) else ""
    try:
        details, end = _DECODER.raw_decode(text)  # half the time of `json.loads`
    except (ValueError, RecursionError):
        return {}
    return details if isinstance(details, dict) and end == len(text) else {}
