"""The part of Langfuse's attribute names that is about usage and cost.

What a Langfuse server takes for a generation, and where it reads usage and cost, is in
https://github.com/langfuse/langfuse/tree/main/packages/shared/src/server/otel
(``ObservationTypeMapper.ts``, ``OtelIngestionProcessor.ts``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tracesplice._outputs import has_output

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "failed",
    "is_free",
    "is_generation",
    "may_become_generation",
    "says_usage",
    "tokens",
    "zeroed",
]

_USAGE = "langfuse.observation.usage_details"
_COST = "langfuse.observation.cost_details"

# An observation's type; the first of these that is there decides.
_TYPES: tuple[tuple[str, frozenset[str]], ...] = (
    ("langfuse.observation.type", frozenset({"generation", "embedding"})),
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
_TOTALS = ("input", "output", "total")
# A total, or else what it is the sum of.
_TOKENS = (
    ("total", ("input", "output")),
    ("total_tokens", ("prompt_tokens", "completion_tokens")),
    ("total_tokens", ("input_tokens", "output_tokens")),
    ("gen_ai.usage.total_tokens", ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")),
    ("llm.usage.total_tokens", ("gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens")),
    ("llm.token_count.total", ("llm.token_count.prompt", "llm.token_count.completion")),
)
# What Langfuse calls by the names above.
_RENAMED = frozenset(
    {"prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens"}
)


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
    return is_generation(attributes) or not any(key in attributes for key, _ in _TYPES)


def says_usage(attributes: Mapping[str, Any]) -> bool:
    """Return whether a span says itself what was used."""
    return any(key in (_USAGE, _COST) or key.startswith(_COUNTERS) for key in attributes)


def tokens(attributes: Mapping[str, Any]) -> float | None:
    """Return how many tokens a span says were used in all, None where it does not say."""
    said = {**attributes, **_details(attributes.get(_USAGE))}
    for total, parts in _TOKENS:
        if _is_number(said.get(total)):
            return float(said[total])
        numbers = [said[part] for part in parts if _is_number(said.get(part))]
        if numbers:
            return float(sum(numbers))
    return None


def is_free(attributes: Mapping[str, Any]) -> bool:
    """Return whether a span says that nothing was used, and nothing to the contrary."""
    return tokens(attributes) == 0 and not _says_cost(attributes)


def failed(attributes: Mapping[str, Any]) -> bool:
    """Return whether a span reads like that of a failed call: an error or no output, no usage."""
    if attributes.get("langfuse.observation.level") != "ERROR" and has_output(attributes):
        return False
    return not tokens(attributes) and not _says_cost(attributes)


def zeroed(attributes: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Work out how a span comes to say that nothing was used.

    To leave usage out is not enough: Langfuse counts the tokens of a generation that has a model
    and no usage itself (``getUsageUnits`` in
    https://github.com/langfuse/langfuse/blob/main/worker/src/services/IngestionService/index.ts).

    Returns:
        The attributes to set, and the keys of those to delete.
    """
    nothing = {key: _zeros(attributes.get(key)) for key in (_USAGE, _COST)}
    return nothing, tuple(key for key in attributes if key.startswith(_COUNTERS))


def _says_cost(attributes: Mapping[str, Any]) -> bool:
    costs = _details(attributes.get(_COST)).values()
    return any(_is_number(each) and each for each in costs)


def _zeros(given: object) -> str:
    return json.dumps(dict.fromkeys((*_TOTALS, *_kinds(given)), 0))


def _kinds(given: object) -> Iterable[str]:
    """Yield the kinds of usage or cost that a span gives, as its JSON has them."""
    for kind, value in _details(given).items():
        if _is_number(value) and kind not in _RENAMED:
            yield kind


def _details(given: object) -> Mapping[str, Any]:
    try:
        details = json.loads(given) if isinstance(given, str) else None
    except (ValueError, RecursionError):
        details = None
    return details if isinstance(details, dict) else {}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))
