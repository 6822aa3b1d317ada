"""Spans by the semantic conventions, of instrumentations that say again what calls used."""

from __future__ import annotations

from typing import Any

from unit.spans import Node

STRANDS = "strands.telemetry.tracer"
AG2 = "opentelemetry.instrumentation.ag2"


def gen_ai(scope: str, operation: str, used: dict[str, int] | None = None, **more: Any) -> Node:
    said = {f"gen_ai.usage.{key}": value for key, value in (used or {}).items()}
    return Node(scope, {"gen_ai.operation.name": operation, **said, **more}, name=operation)


def chat(scope: str, first: int, second: int) -> Node:
    used = {"input_tokens": first, "output_tokens": second}
    made = gen_ai(scope, "chat", used, **{"gen_ai.request.model": "gpt"})
    return Node(made.scope, made.attributes, call="reported", name="chat")


def record(first: int, second: int) -> Node:
    said = {
        "gen_ai.response.model": "gpt",
        "gen_ai.usage.input_tokens": first,
        "gen_ai.usage.output_tokens": second,
    }
    return Node("opentelemetry.instrumentation.ag2", said, name="record")
