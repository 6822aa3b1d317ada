"""Batches of spans as Langfuse hands them to a mask, and what the mask makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from langfuse.types import (
    MaskOtelSpansParams,
    MaskOtelSpansResult,
    OtelSpanData,
    OtelSpanIdentifier,
)

import tracesplice
from rig.recorder._given import given_cost, given_usage
from rig.recorder._usage import cost_details, count, usage_details

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langfuse.types import MaskOtelSpansFunction

__all__ = [
    "LLM",
    "NAMES",
    "OPENINFERENCE",
    "PLAIN",
    "SCOPE",
    "TRACE",
    "Spans",
    "applied",
    "chain",
    "counted",
    "says_zero",
    "zeroed",
]

PRICES = {"input": 1e-6, "output": 2e-6}
NAMES = ["a", "b", "c", "d", "e"]

TRACE = "a" * 32
SCOPE = "openinference.instrumentation.any"
USAGE = {"langfuse.observation.usage_details": '{"input": 3, "output": 4, "total": 7}'}
LLM: dict[str, Any] = {
    "langfuse.observation.type": "generation",
    "langfuse.observation.model.name": "gpt",
    **USAGE,
}
OPENINFERENCE: dict[str, Any] = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt",
    "llm.token_count.prompt": 3,
}
PLAIN: dict[str, Any] = {"langfuse.observation.type": "span", **USAGE}


@dataclass(frozen=True)
class Spans:
    """One batch.

    Attributes:
        attributes: By span id.
        parents: Parents' ids, by span id.
    """

    attributes: dict[str, dict[str, Any]]
    parents: dict[str, str]

    @property
    def params(self) -> MaskOtelSpansParams:
        made = {
            OtelSpanIdentifier(trace_id=TRACE, span_id=span_id): OtelSpanData(
                trace_id=TRACE,
                span_id=span_id,
                parent_span_id=self.parents.get(span_id),
                name=span_id,
                instrumentation_scope_name=SCOPE,
                instrumentation_scope_version=None,
                attributes=MappingProxyType(attributes),
                resource_attributes=MappingProxyType({}),
            )
            for span_id, attributes in self.attributes.items()
        }
        return MaskOtelSpansParams(spans=MappingProxyType(made))


def applied(mask: MaskOtelSpansFunction, batch: Spans) -> dict[str, dict[str, Any]]:
    """What Langfuse would export, by span id."""
    result = mask(params=batch.params)
    exported = {span_id: dict(attributes) for span_id, attributes in batch.attributes.items()}
    if result is None:
        return exported
    assert isinstance(result, MaskOtelSpansResult)
    for key, patch in result.span_patches.items():
        if patch is not None:
            for name in patch.delete_attributes:
                exported[key.span_id].pop(name, None)
            exported[key.span_id].update(patch.set_attributes)
    return exported


def counted(attributes: Mapping[str, Any]) -> tuple[dict[str, int], float]:
    """What Langfuse counts of a span, as the recorder models it."""
    usage, cost = (
        usage_details(given_usage(attributes)),
        cost_details(given_cost(attributes), negative=True),
    )
    found = count(usage, cost, PRICES, ("what was asked", "what was answered"))
    return found.usage, found.cost


def says_zero(attributes: Mapping[str, Any]) -> bool:
    usage, cost = counted(attributes)
    return cost == 0 and not any(usage.values())


def zeroed(batch: Spans) -> set[str]:
    after = applied(tracesplice.count_usage_once(), batch)
    return {each for each, attributes in after.items() if says_zero(attributes)}


def chain(*attributes: dict[str, Any]) -> Spans:
    """Spans in each other; the first is the innermost."""
    names = NAMES[: len(attributes)]
    return Spans(dict(zip(names, attributes, strict=True)), dict(pairwise(names)))
