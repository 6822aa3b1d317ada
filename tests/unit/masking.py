"""Batches of spans as Langfuse hands them to a mask, and what the mask makes of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
from tracesplice._calls import calls
from tracesplice_testing.recorder._given import given_cost, given_usage
from tracesplice_testing.recorder._usage import cost_details, count, usage_details

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langfuse.types import MaskOtelSpansFunction

__all__ = [
    "COST",
    "LLM",
    "NAMES",
    "OPENINFERENCE",
    "PLAIN",
    "SCOPE",
    "TRACE",
    "USAGE",
    "USERS",
    "Spans",
    "applied",
    "chain",
    "counted",
    "key",
    "note",
    "part",
    "patched",
]

PRICES = {"input": 1e-6, "output": 2e-6}
NAMES = ["a", "b", "c", "d", "e"]

TRACE = "a" * 32
SCOPE = "openinference.instrumentation.any"
USERS = "langfuse-sdk"
USAGE = "langfuse.observation.usage_details"
COST = "langfuse.observation.cost_details"
LLM: dict[str, Any] = {
    "langfuse.observation.type": "generation",
    "langfuse.observation.model.name": "gpt",
    USAGE: '{"input": 3, "output": 4, "total": 7}',
}
OPENINFERENCE: dict[str, Any] = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt",
    "llm.token_count.prompt": 3,
}
PLAIN: dict[str, Any] = {"langfuse.observation.type": "span", USAGE: LLM[USAGE]}


@dataclass(frozen=True)
class Spans:
    """One batch.

    Attributes:
        attributes: By span id.
        parents: Parents' ids, by span id.
        scope: The instrumentation scope of them all.
    """

    attributes: dict[str, dict[str, Any]]
    parents: dict[str, str]
    scope: str = USERS

    @property
    def params(self) -> MaskOtelSpansParams:
        made = {
            key(span_id): OtelSpanData(
                trace_id=TRACE,
                span_id=span_id,
                parent_span_id=self.parents.get(span_id),
                name=span_id,
                instrumentation_scope_name=self.scope,
                instrumentation_scope_version=None,
                attributes=MappingProxyType(attributes),
                resource_attributes=MappingProxyType({}),
            )
            for span_id, attributes in self.attributes.items()
        }
        return MaskOtelSpansParams(spans=MappingProxyType(made))


def key(span_id: str) -> OtelSpanIdentifier:
    return OtelSpanIdentifier(trace_id=TRACE, span_id=span_id)


def chain(*attributes: dict[str, Any]) -> Spans:
    """Spans in each other; the first is the innermost."""
    names = NAMES[: len(attributes)]
    return Spans(dict(zip(names, attributes, strict=True)), dict(pairwise(names)))


def part(batch: Spans, *names: str) -> Spans:
    """Some of the spans of a batch, in this order."""
    return replace(batch, attributes={name: batch.attributes[name] for name in names})


def note(text: str) -> None:
    """Note calls, in words such as `ab+`: the observations of one, and what became of it.

    `?` was sent, `+` was answered and is reported, `-` is not; `!` was answered without a request.
    """
    for word in text.split():
        places = [(TRACE, span_id) for span_id in word[:-1]]
        if word[-1] != "!":
            calls.sent(places)
        if word[-1] != "?":
            calls.answered(places, word[-1] in "+!")


def applied(mask: MaskOtelSpansFunction, batch: Spans) -> dict[str, dict[str, Any]]:
    """What Langfuse would export, by span id."""
    result = mask(params=batch.params)
    exported = {span_id: dict(attributes) for span_id, attributes in batch.attributes.items()}
    if result is None:
        return exported
    assert isinstance(result, MaskOtelSpansResult)
    for identifier, patch in result.span_patches.items():
        if patch is not None:
            for name in patch.delete_attributes:
                exported[identifier.span_id].pop(name, None)
            exported[identifier.span_id].update(patch.set_attributes)
    return exported


def patched(batch: Spans) -> set[str]:
    """Which spans the mask of ``count_usage_once`` makes say zero, by what Langfuse counts."""
    after = applied(tracesplice.count_usage_once(), batch)
    changed = {each for each in after if after[each] != batch.attributes[each]}
    assert all(counted(after[each]) == (0, 0) for each in changed)
    return changed


def counted(attributes: Mapping[str, Any]) -> tuple[int, float]:
    """The tokens and the cost that Langfuse counts of a span, as the recorder models it."""
    usage, cost = (
        usage_details(given_usage(attributes)),
        cost_details(given_cost(attributes), negative=True),
    )
    found = count(usage, cost, PRICES, ("what was asked", "what was answered"))
    return sum(found.usage.values()), found.cost
