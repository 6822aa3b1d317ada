"""What a Langfuse server takes a span for.

https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/otel/ObservationTypeMapper.ts
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "GENERATIONS",
    "TYPE",
    "has_model",
    "is_generation",
    "is_record",
    "may_become_generation",
    "repeats_uncounted",
]

TYPE = "langfuse.observation.type"
"""The attribute in which Langfuse's SDK says what an observation is."""

GENERATIONS = frozenset({"generation", "embedding"})
"""The types that stand for a call of a model."""

# An attribute that says an observation's type; the values that make it a generation, and those that
# make it something else. The first with a value of these decides.
_TYPES: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = (
    (
        TYPE,
        GENERATIONS,
        frozenset(
            {"span", "event", "agent", "tool", "chain", "retriever", "guardrail", "evaluator"}
        ),
    ),
    (
        "openinference.span.kind",
        frozenset({"LLM", "EMBEDDING"}),
        frozenset({"CHAIN", "RETRIEVER", "AGENT", "TOOL", "GUARDRAIL", "EVALUATOR"}),
    ),
    (
        "gen_ai.operation.name",
        frozenset(
            {"chat", "completion", "text_completion", "generate_content", "generate", "embeddings"}
        ),
        frozenset({"invoke_agent", "create_agent", "execute_tool"}),
    ),
)
_TOOLS = ("gen_ai.tool.name", "gen_ai.tool.call.id")
# Anything else with a model is a generation.
_MODELS = (
    "langfuse.observation.model.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "llm.model_name",
    "model",
)
# A call says one of these; what only records the usage of a call made elsewhere has none.
_OF_A_CALL = (
    *(key for key, _, _ in _TYPES),
    *_TOOLS,
    "gen_ai.request.",
    "gen_ai.input",
    "gen_ai.output",
    "gen_ai.prompt",
    "gen_ai.completion",
    "input.value",
    "output.value",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "langfuse.observation.usage",
    "langfuse.observation.model",
    "llm.",
)


def is_generation(attributes: Mapping[str, Any]) -> bool:
    """Return whether Langfuse takes a span for a generation or an embedding."""
    said = _said(attributes)
    if said is None:
        return has_model(attributes) and not any(attributes.get(key) for key in _TOOLS)
    return said


def may_become_generation(attributes: Mapping[str, Any]) -> bool:
    """Return whether an open span is a generation, or may still say so.

    OpenInference's LlamaIndex spans say what they are when they end.
    """
    return _said(attributes) is not False


def has_model(attributes: Mapping[str, Any]) -> bool:
    """Return whether a span names a model; Langfuse then counts its tokens if it says no usage."""
    return any(attributes.get(key) for key in _MODELS)


def repeats_uncounted(attributes: Mapping[str, Any]) -> bool:
    """Return whether Langfuse takes what a span says was used for a repetition by itself.

    ``isAiSdkAgentOperation`` in
    https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/otel/OtelIngestionProcessor.ts;
    older servers count it.
    """
    return attributes.get("gen_ai.operation.name") in ("invoke_agent", "agent_step")


def is_record(attributes: Mapping[str, Any]) -> bool:
    """Return whether a span with usage is a note of what a call beside it has used.

    It says neither what it is nor what was asked or answered.
    """
    return not any(key.startswith(_OF_A_CALL) for key in attributes)


def _said(attributes: Mapping[str, Any]) -> bool | None:
    for key, generations, others in _TYPES:
        if key in attributes:
            value = attributes[key]
            if value in generations:
                return True
            if value in others:
                return False
    return None
