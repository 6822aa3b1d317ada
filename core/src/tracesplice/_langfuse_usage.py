"""The part of Langfuse's attribute names that is about usage and cost.

What a Langfuse server takes for a generation, and where it reads usage and cost, is in
https://github.com/langfuse/langfuse/tree/main/packages/shared/src/server/otel
(``ObservationTypeMapper.ts``, ``OtelIngestionProcessor.ts``).
"""

from __future__ import annotations

import json
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from tracesplice._outputs import has_output

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Usage", "Zeros", "is_generation", "may_become_generation", "says_usage"]

_USAGE = "langfuse.observation.usage_details"
_COST = "langfuse.observation.cost_details"

TYPE = "langfuse.observation.type"
"""The attribute in which Langfuse's SDK says what an observation is."""

GENERATIONS = frozenset({"generation", "embedding"})
"""The types of those whose usage Langfuse counts."""

# An observation's type; the first of these that is there decides.
_TYPES: tuple[tuple[str, frozenset[str]], ...] = (
    (TYPE, GENERATIONS),
    ("openinference.span.kind", frozenset({"LLM", "EMBEDDING"})),
    (
        "gen_ai.operation.name",
        frozenset(
            {"chat", "completion", "text_completion", "generate_content", "generate", "embeddings"}
        ),
    ),
)
# Anything else with a model is a generation.
_MODELS = (
    "langfuse.observation.model.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "llm.model_name",
    "model",
)
# Where instrumentations that are not Langfuse's say what was used.
_COUNTERS = ("gen_ai.usage.", "llm.token_count.", "llm.usage.", "llm.cost.")
_NUMBER = (int, float)
_TOTALS = ("input", "output", "total")
# Totals, and what they are sums of; the first that a span has counts.
_TOKENS = (
    ("total",),
    ("input", "output"),
    ("total_tokens",),
    ("prompt_tokens", "completion_tokens"),
    ("input_tokens", "output_tokens"),
    ("gen_ai.usage.total_tokens",),
    ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
    ("llm.usage.total_tokens",),
    ("gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens"),
    ("llm.token_count.total",),
    ("llm.token_count.prompt", "llm.token_count.completion"),
)
# What Langfuse calls by the names above.
_RENAMED = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens")
_NAMED = frozenset({*_TOTALS, *_RENAMED})

Zeros = tuple[dict[str, str], list[str]]
"""Attributes to set, and keys of those to delete, so that a span says that nothing was used."""


def is_generation(attributes: Mapping[str, Any]) -> bool:
    """Return whether Langfuse takes a span for a generation or an embedding, and counts it."""
    for key, kinds in _TYPES:
        if key in attributes:
            return attributes[key] in kinds
    return any(attributes.get(key) for key in _MODELS)


def may_become_generation(attributes: Mapping[str, Any]) -> bool:
    """Return whether a span that has not ended is, or does not say yet that it is no generation.

    OpenInference's LlamaIndex spans say what they are when they end.
    """
    for key, kinds in _TYPES:
        if key in attributes:
            return attributes[key] in kinds
    return True


def says_usage(attributes: Mapping[str, Any]) -> bool:
    """Return whether a span says itself what was used."""
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

    @cached_property
    def tokens(self) -> float | None:
        """How many tokens were used in all, None where it does not say."""
        said = {**self._attributes, **self._usage} if self._usage else self._attributes
        for keys in _TOKENS:
            numbers = [said[key] for key in keys if isinstance(said.get(key), _NUMBER)]
            if numbers:
                return float(sum(numbers))
        return None

    @property
    def is_free(self) -> bool:
        """Whether it says that nothing was used, and nothing to the contrary."""
        return self.tokens == 0 and not self._has_cost

    @property
    def failed(self) -> bool:
        """Whether the span reads like that of a failed call: an error or no output, no usage."""
        if self.tokens or self._has_cost:
            return False
        failed = self._attributes.get("langfuse.observation.level") == "ERROR"
        return failed or not has_output(self._attributes)

    def zeroed(self) -> Zeros:
        """Work out how the span comes to say that nothing was used.

        To leave usage out is not enough: Langfuse counts the tokens of a generation that has a
        model and no usage itself (``getUsageUnits`` in
        https://github.com/langfuse/langfuse/blob/main/worker/src/services/IngestionService/index.ts).
        """
        nothing = {_USAGE: _zeros(*_kinds(self._usage)), _COST: _zeros(*_kinds(self._cost))}
        return nothing, [key for key in self._attributes if key.startswith(_COUNTERS)]

    @property
    def _has_cost(self) -> bool:
        return any(isinstance(each, _NUMBER) and each for each in self._cost.values())


@lru_cache(maxsize=64)
def _zeros(*kinds: str) -> str:
    return json.dumps(dict.fromkeys((*_TOTALS, *kinds), 0))


def _kinds(details: Mapping[str, Any]) -> list[str]:
    # Each kind of usage or cost that was there is to be zero, but not by two names.
    return [
        kind for kind, value in details.items() if kind not in _NAMED and isinstance(value, _NUMBER)
    ]


def _details(given: object) -> Mapping[str, Any]:
    try:
        details = json.loads(given) if isinstance(given, str) else None
    except (ValueError, RecursionError):
        details = None
    return details if isinstance(details, dict) else {}
