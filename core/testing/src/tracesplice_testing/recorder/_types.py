"""Which observation type and level a span gets.

The level's names (parseObservationLevel):
https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/otel/OtelIngestionProcessor.ts
The order and the tables are Langfuse's:
https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/otel/ObservationTypeMapper.ts
Left out: the Vercel AI SDK's operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._otlp import Span

TYPES = frozenset(
    [
        "SPAN",
        "GENERATION",
        "EVENT",
        "EMBEDDING",
        "AGENT",
        "TOOL",
        "CHAIN",
        "RETRIEVER",
        "GUARDRAIL",
        "EVALUATOR",
    ]
)

LEVELS = ("DEBUG", "DEFAULT", "WARNING", "ERROR")
_LEVEL_NAMES = {
    **{name: name for name in LEVELS},
    **dict.fromkeys(("TRACE", "VERBOSE"), "DEBUG"),
    **dict.fromkeys(("INFO", "LOG", "NOTICE", "OK", "SUCCESS"), "DEFAULT"),
    "WARN": "WARNING",
    **dict.fromkeys(("FATAL", "CRITICAL"), "ERROR"),
}

_BY_ATTRIBUTE: tuple[tuple[str, dict[str, str]], ...] = (
    ("langfuse.observation.type", {name.lower(): name for name in TYPES}),
    (
        "openinference.span.kind",
        {"LLM": "GENERATION"}
        | {name: name for name in TYPES if name not in ("SPAN", "GENERATION", "EVENT")},
    ),
    (
        "gen_ai.operation.name",
        dict.fromkeys(
            ("chat", "completion", "text_completion", "generate_content", "generate"), "GENERATION"
        )
        | {"embeddings": "EMBEDDING", "execute_tool": "TOOL"}
        | dict.fromkeys(("invoke_agent", "create_agent"), "AGENT"),
    ),
)

_TOOL_KEYS = ("gen_ai.tool.name", "gen_ai.tool.call.id")
_MODEL_KEYS = (
    "langfuse.observation.model.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "llm.model_name",
    "model",
)
_GENERATION_KEYS = (
    "langfuse.observation.model.name",
    "langfuse.observation.cost_details",
    "langfuse.observation.usage_details",
    "langfuse.observation.completion_start_time",
    "langfuse.observation.model.parameters",
    "langfuse.observation.prompt.name",
    "langfuse.observation.prompt.version",
)


def level(span: Span) -> str:
    """The level by whatever name; what it does not know falls back to the status."""
    given = span.attributes.get("langfuse.observation.level")
    known = _LEVEL_NAMES.get(given.strip().upper()) if isinstance(given, str) else None
    return known or ("ERROR" if span.error else "DEFAULT")


def observation_type(span: Span) -> str:
    """The type, upper case; a value that is in no table falls through to the next rule."""
    attributes = span.attributes
    if _old_python_sdk(span) and any(key in attributes for key in _GENERATION_KEYS):
        return "GENERATION"
    for key, table in _BY_ATTRIBUTE:
        mapped = table.get(str(attributes.get(key)))
        if mapped:
            return mapped
    if any(attributes.get(key) for key in _TOOL_KEYS):
        return "TOOL"
    if any(attributes.get(key) for key in _MODEL_KEYS):
        return "GENERATION"
    return "SPAN"


def _old_python_sdk(span: Span) -> bool:
    """Python SDK 3.3 and older said "span" on generations that were updated late."""
    is_ours = span.scope == "langfuse-sdk" and span.resource.get("telemetry.sdk.language") == (
        "python"
    )
    if not is_ours or span.attributes.get("langfuse.observation.type") != "span":
        return False
    numbers = span.scope_version.split(".")[:2]
    return (
        len(numbers) == 2
        and all(n.isdigit() for n in numbers)
        and ((int(numbers[0]), int(numbers[1])) <= (3, 3))
    )
