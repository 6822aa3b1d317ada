"""Where a span's input and output are found.

Keys and their order are Langfuse's (extractInputAndOutput):
https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/otel/OtelIngestionProcessor.ts
Left out: the keys of the Vercel AI SDK, Vertex, Pydantic AI, LiveKit, MLFlow, Logfire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._tools import with_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._otlp import Span

_IO_PAIRS = (
    ("traceloop.entity.input", "traceloop.entity.output"),
    ("input.value", "output.value"),
    ("input", "output"),
)
_IO_PREFIXES = (
    ("gen_ai.prompt", "gen_ai.completion"),
    ("llm.input_messages", "llm.output_messages"),
)
_IO_LAST = (
    ("gen_ai.input.messages", "gen_ai.output.messages"),
    ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
)
_INPUT_EVENTS = tuple(f"gen_ai.{role}.message" for role in ("system", "user", "assistant", "tool"))


def input_output(span: Span) -> tuple[Any, Any]:
    """Input and output as sent: JSON texts mostly; OpenInference's tools are put to the input."""
    found = next((pair for pair in _candidates(span) if pair != (None, None)), (None, None))
    return with_tools(found[0], span), found[1]


def _candidates(span: Span) -> Iterator[tuple[Any, Any]]:
    given = span.attributes
    yield given.get("langfuse.observation.input"), given.get("langfuse.observation.output")
    yield _from_events(span)
    yield from (_pair(given, keys) for keys in _IO_PAIRS)
    for asked, answered in _IO_PREFIXES:
        yield _starting(given, asked), _starting(given, answered)
    yield from (_pair(given, keys) for keys in _IO_LAST)


def _pair(attributes: Mapping[str, Any], keys: tuple[str, str]) -> tuple[Any, Any]:
    """Both, where at least one is more than empty."""
    asked, answered = (attributes.get(key) for key in keys)
    return (asked, answered) if asked or answered else (None, None)


def _starting(attributes: Mapping[str, Any], prefix: str) -> dict[str, Any] | None:
    return {k: v for k, v in attributes.items() if k.startswith(prefix)} or None


def _from_events(span: Span) -> tuple[Any, Any]:
    asked = [{"role": n.split(".")[1], **a} for n, a in span.events if n in _INPUT_EVENTS]
    answered = [a for n, a in span.events if n == "gen_ai.choice"]
    return asked or None, (answered[0] if len(answered) == 1 else answered or None)
