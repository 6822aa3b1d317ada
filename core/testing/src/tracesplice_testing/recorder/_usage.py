"""Usage and cost: what Langfuse counts (getUsageUnits, calculateUsageCosts).

https://github.com/langfuse/langfuse/blob/main/worker/src/services/IngestionService/index.ts
The schema of both (UsageDetails, CostDetails):
https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/ingestion/types.ts
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._tokens import tokens

if TYPE_CHECKING:
    from ._prices import Prices


@dataclass(frozen=True)
class Counted:
    """What an observation adds to the sums.

    `estimated` says that the server counted the tokens, `priced` that the cost is its own figure,
    `uncounted` which cost was given in vain.
    """

    usage: dict[str, int]
    cost: float
    estimated: bool
    priced: bool = False
    uncounted: str | None = None


def count(
    usage: Mapping[str, int],
    cost: Mapping[str, float],
    prices: Prices | None,
    texts: tuple[Any, Any] | None,
) -> Counted:
    """Counts usage and cost, as given or else by itself.

    `prices` are those of a model the server knows, and `texts` the input and output that it may
    tokenise where neither usage nor cost was given.
    """
    by_itself = _estimate(texts) if prices and texts and not usage and not cost else {}
    estimated, counted = bool(by_itself), by_itself or dict(usage)
    if counted and "total" not in counted:
        counted["total"] = sum(counted.values())
    if cost:
        total = _total(cost)
        lost = None if total is not None else f"cost of {sorted(cost)} has no total"
        return Counted(counted, total or 0.0, estimated, uncounted=lost)
    priced = {k: counted[k] * price for k, price in (prices or {}).items() if k in counted}
    own = float(priced.get("total", sum(priced.values())))
    return Counted(counted, own, estimated, priced=own != 0)


def _total(cost: Mapping[str, float]) -> float | None:
    """The total given; input and output add up only when no other kind is given with them."""
    if "total" in cost:
        return cost["total"]
    return sum(cost.values()) if set(cost) <= {"input", "output"} else None


def _estimate(texts: tuple[Any, Any]) -> dict[str, int]:
    names = ("input", "output")
    return {k: tokens(text) for k, text in zip(names, texts, strict=True) if text is not None}


def usage_details(raw: Any) -> dict[str, int]:
    """Usage by kind, OpenAI's own shapes included, without entries that are no whole number from 0.

    ValueError if it is no object.
    """
    if not isinstance(raw, (Mapping, type(None))):
        raise ValueError(f"usage is not an object: {raw!r}")
    raw = raw or {}
    for spent, made in (("prompt", "completion"), ("input", "output")):
        if _is_openais(raw, spent, made):
            return _from_openai(raw, spent, made)
    numbers = {str(k): _whole(v) for k, v in raw.items()}
    return {k: v for k, v in numbers.items() if v is not None}


def cost_details(raw: Any, *, negative: bool) -> dict[str, float]:
    """Cost in USD by kind, without entries that are no numbers; ValueError if it is no object.

    `negative` says whether numbers below 0 are taken.
    """
    if not isinstance(raw, (Mapping, type(None))):
        raise ValueError(f"cost is not an object: {raw!r}")
    numbers = {str(k): float(v) for k, v in (raw or {}).items() if _is_number(v)}
    return {k: v for k, v in numbers.items() if negative or v >= 0}


def unread(raw: Mapping[str, Any], read: Mapping[str, float]) -> list[str]:
    """The entries of a usage or cost object that were left out."""
    if any(_is_openais(raw, *names) for names in (("prompt", "completion"), ("input", "output"))):
        return []
    return sorted(str(k) for k, v in raw.items() if v is not None and str(k) not in read)


def _is_openais(raw: Mapping[str, Any], spent: str, made: str) -> bool:
    """Whether this is OpenAI's own usage object, and nothing but that."""
    keys = {f"{spent}_tokens", f"{made}_tokens", "total_tokens"}
    extras = {f"{spent}_tokens_details", f"{made}_tokens_details"}
    details = [value for extra in extras for value in _details(raw, extra).values()]
    counts = [raw.get(key) for key in keys] + [value for value in details if value is not None]
    return keys <= set(raw) <= keys | extras and None not in map(_count, counts)


def _from_openai(raw: Mapping[str, Any], spent: str, made: str) -> dict[str, int]:
    """Details become kinds of their own and are taken off the plain count."""
    result = {"total": int(raw["total_tokens"])}
    for name, source in (("input", spent), ("output", made)):
        plain = int(raw[f"{source}_tokens"])
        for key, value in _details(raw, f"{source}_tokens_details").items():
            if value is not None:
                result[f"{name}_{key}"] = int(value)
                plain = max(plain - value, 0)
        result[name] = plain
    return result


def _details(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = raw.get(key)
    return found if isinstance(found, Mapping) else {}


def _whole(value: Any) -> int | None:
    """A count, or the digits that a text starts with."""
    if not isinstance(value, str):
        return _count(value)
    digits = re.match(r"\s*\+?(\d+)", value)
    return int(digits[1]) if digits else None


def _count(value: Any) -> int | None:
    return int(value) if _is_number(value) and value >= 0 and value == int(value) else None


def _is_number(value: Any) -> bool:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return plain and math.isfinite(value)
