"""What the server answers: a function of the request alone, so that tests can state it."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from tracesplice_testing.model._directives import Directives, parse
from tracesplice_testing.model._schema import Schema, instance

__all__ = ["Answer", "answer_chat", "answer_text", "embedding", "plain_text", "tokens"]

Message = Mapping[str, object]


@dataclass(frozen=True)
class Answer:
    """One answer, before it takes the form of a protocol."""

    text: str
    prompt_tokens: int
    directives: Directives
    tool: str | None = None
    arguments: Mapping[str, object] | None = None

    @property
    def completion_tokens(self) -> int:
        """The words of the answer; of a tool call, those of its arguments."""
        return tokens(json.dumps(self.arguments) if self.tool else self.text)

    @property
    def chunks(self) -> list[str]:
        """The text in the pieces a stream sends: one word each."""
        words = self.text.split(" ")
        return [word if i == 0 else f" {word}" for i, word in enumerate(words)]


def tokens(text: str) -> int:
    """How many tokens a text counts: its words, at least one."""
    return max(1, len(text.split()))


def plain_text(content: object) -> str:
    """The text of a message's content, be it a string, parts, or nothing."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (p if isinstance(p, str) else str(p.get("text", "")) for p in content)
    return " ".join(t for t in texts if t)


def answer_chat(
    model: str,
    messages: Sequence[Message],
    tools: Sequence[Mapping[str, object]] = (),
    schema: Schema | str | None = None,
) -> Answer:
    """Answer a conversation.

    With tools, and no tool's result at its end: a call of the first tool. With a schema: JSON that
    satisfies it. Else `echo: ` and the last user message, or `tool: ` and the tool's result.
    """
    asked = [plain_text(m.get("content")) for m in messages if m.get("role") == "user"]
    directives = parse(asked[-1] if asked else "", model)
    prompt_tokens = sum(tokens(plain_text(m.get("content"))) for m in messages)
    last = messages[-1] if messages else {}
    if last.get("role") == "tool":
        text = f"tool: {plain_text(last.get('content'))}"
        return Answer(_pad(text, directives), prompt_tokens, directives)
    if tools:
        function = cast("Mapping[str, object]", tools[0].get("function", tools[0]))
        arguments = cast("Mapping[str, object]", instance(_mapping(function.get("parameters"))))
        return Answer("", prompt_tokens, directives, str(function["name"]), arguments)
    return _answer(directives, prompt_tokens, schema)


def answer_text(model: str, prompt: str, schema: Schema | str | None = None) -> Answer:
    """Answer a bare prompt the way `answer_chat` answers a message."""
    directives = parse(prompt, model)
    return _answer(directives, tokens(prompt), schema)


def embedding(text: str, dimensions: int = 8) -> list[float]:
    """A unit vector made from the text."""
    digest = b"".join(
        hashlib.sha256(f"{i}:{text}".encode()).digest() for i in range(dimensions // 32 + 1)
    )
    raw = [byte - 127.5 for byte in digest[:dimensions]]
    norm = math.sqrt(sum(x * x for x in raw))
    return [round(x / norm, 6) for x in raw]


def _answer(directives: Directives, prompt_tokens: int, schema: Schema | str | None) -> Answer:
    if isinstance(schema, str):
        text = json.dumps({"echo": directives.text})
    elif schema is not None:
        text = json.dumps(instance(schema))
    else:
        text = _pad(f"echo: {directives.text}", directives)
    return Answer(text, prompt_tokens, directives)


def _pad(text: str, directives: Directives) -> str:
    missing = directives.words - len(text.split())
    return " ".join([text, *(f"word{i}" for i in range(missing))])


def _mapping(value: object) -> Schema:
    return value if isinstance(value, Mapping) else {"type": "object"}
