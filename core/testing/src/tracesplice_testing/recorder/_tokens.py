"""Tokens as the server counts them where nothing was given (tokenCount).

Langfuse has OpenAI's tokenisers, whose tables are a download of megabytes; this splits a text as
they do before they look into a table, which is right within a token or two for plain English.
https://github.com/langfuse/langfuse/blob/main/worker/src/features/tokenisation/usage.ts
https://github.com/openai/tiktoken/blob/main/tiktoken_ext/openai_public.py
"""

from __future__ import annotations

import json
import re
from typing import Any

from tracesplice_view import parsed

_PIECE = re.compile(r" ?[^\W\d_]{1,10}|\d{1,3}| ?[^\s\w]{1,3}|_|\s+(?!\S)|\s")
_PER_MESSAGE = 3
_PER_ANSWER = 3
_PER_NAME = 1
_COUNTED = ("content", "role", "name")


def tokens(value: Any) -> int:
    """The tokens of a text, of chat messages, or of anything else as JSON."""
    value = parsed(value)
    if _is_chat(value):
        return _PER_ANSWER + sum(map(_message, value))
    return _text(value if isinstance(value, str) else json.dumps(value, separators=(",", ":")))


def _is_chat(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(message, dict)
        and isinstance(message.get("role"), str)
        and isinstance(message.get("content"), str)
        for message in value
    )


def _message(message: dict[str, Any]) -> int:
    named = _PER_NAME if "name" in message else 0
    texts = (message.get(key) for key in _COUNTED)
    return _PER_MESSAGE + named + sum(_text(text) for text in texts if isinstance(text, str))


def _text(text: str) -> int:
    return len(_PIECE.findall(text))
