"""Usage and cost: what Langfuse counts (getUsageUnits, calculateUsageCosts).

https://github.com/langfuse/langfuse/blob/main/worker/src/services/IngestionService/index.ts
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Prices = Mapping[str, float]
"""USD for one unit of each kind of usage."""

DEFAULT_PRICES: Prices = {"input": 1e-6, "output": 2e-6}
_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True)
class Counted:
    """What an observation adds to the sums; `uncounted` says which cost it gave in vain."""

    usage: dict[str, int]
    cost: float
    estimated: bool
    uncounted: str | None = None


def count(
    usage: Mapping[str, int],
    cost: Mapping[str, float],
    prices: Prices | None,
    texts: tuple[Any, Any] | None,
) -> Counted:
    """Counts usage and cost; `texts`, where the server would tokenise, are input and output."""
    estimated = not usage and texts is not None
    counted = _estimate(texts) if estimated and texts else dict(usage)
    if counted and "total" not in counted:
        counted["total"] = sum(counted.values())
    if cost:
        total = _total(cost)
        lost = None if total is not None else f"cost of {sorted(cost)} has no total"
        return Counted(counted, total or 0.0, estimated, lost)
    priced = {k: counted[k] * price for k, price in (prices or {}).items() if k in counted}
    return Counted(counted, float(priced.get("total", sum(priced.values()))), estimated)


def _total(cost: Mapping[str, float]) -> float | None:
    """The total given; input and output add up only when no other kind is given with them."""
    if "total" in cost:
        return cost["total"]
    return sum(cost.values()) if set(cost) <= {"input", "output"} else None


def _estimate(texts: tuple[Any, Any]) -> dict[str, int]:
    """Tokens from lengths, standing in for the server's tokeniser."""
    names = ("input", "output")
    return {k: _tokens(text) for k, text in zip(names, texts, strict=True) if text is not None}


def _tokens(value: Any) -> int:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def usage_details(raw: Any) -> dict[str, int]:
    """Usage as whole numbers by kind, OpenAI's own shapes included; ValueError if it is neither.

    The schema: UsageDetails in
    https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/ingestion/types.ts
    """
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise ValueError(f"usage is not an object: {raw!r}")
    for spent, made in (("prompt", "completion"), ("input", "output")):
        keys = {f"{spent}_tokens", f"{made}_tokens", "total_tokens"}
        extras = {f"{spent}_tokens_details", f"{made}_tokens_details"}
        if keys <= set(raw) <= keys | extras:
            return _from_openai(raw, spent, made)
    return {str(k): _whole(k, v) for k, v in raw.items() if v is not None}


def _from_openai(raw: Mapping[str, Any], spent: str, made: str) -> dict[str, int]:
    """Details become kinds of their own and are taken off the plain count."""
    result = {"total": _whole("total_tokens", raw["total_tokens"])}
    for name, source in (("input", spent), ("output", made)):
        plain = _whole(f"{source}_tokens", raw[f"{source}_tokens"])
        for key, value in (raw.get(f"{source}_tokens_details") or {}).items():
            if value is not None:
                result[f"{name}_{key}"] = _whole(key, value)
                plain = max(plain - value, 0)
        result[name] = plain
    return result


def _whole(key: Any, value: Any) -> int:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or value < 0 or value != int(value):
        raise ValueError(f"usage {key!r} is no whole number from 0: {value!r}")
    return int(value)


def cost_details(raw: Any) -> dict[str, float]:
    """Cost in USD by kind; ValueError if it is not numbers from 0."""
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise ValueError(f"cost is not an object: {raw!r}")
    for key, value in raw.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is not None and (not number or value < 0):
            raise ValueError(f"cost {key!r} is no number from 0: {value!r}")
    return {str(k): float(v) for k, v in raw.items() if v is not None}
