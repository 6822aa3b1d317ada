"""What a call returned or raised, as plain values that can be compared and shown."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["described", "plain", "shown"]

# Ids that are made anew for each call, addresses of objects, times.
_VARYING = re.compile(
    r"0x[0-9a-f]+|(?<=scope )[0-9a-f]+|run-[-0-9a-f]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_TIMES = re.compile(r"(?<=[ =(])\d+\.\d+(?= ?s)|'\w*(time|created|_ms)\w*': [^,}]+|\d+\.\d{4,}")
_NO_VALUES = ("__notes__", "_request", "_response", "add_note")


def plain(answer: Any) -> object:
    """An answer, or an item of a stream, without what differs between two calls."""
    if hasattr(answer, "usage_metadata"):  # LangChain's
        return _text(answer.content), _text(answer.response_metadata), _text(answer.tool_calls)
    for name in ("to_dict", "model_dump"):
        if hasattr(answer, name):
            return type(answer).__name__, _text(getattr(answer, name)())
    return type(answer).__name__, _text(answer)


def described(error: BaseException | None, depth: int = 8) -> object:
    """An exception: its type, arguments, attributes, causes and what was handled meanwhile."""
    if error is None or not depth:
        return None
    if isinstance(error, KeyboardInterrupt):  # wherever it strikes
        return "builtins.KeyboardInterrupt", "", (), None, None, False
    names = sorted(name for name in vars(error) if name not in _NO_VALUES)
    values = tuple((name, _value(getattr(error, name))) for name in names)
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    causes = [described(each, depth - 1) for each in (error.__cause__, error.__context__)]
    return kind, _text(error.args), values, *causes, error.__suppress_context__


def shown(ended: object) -> str:
    """In one word or two for the table."""
    if isinstance(ended, tuple) and len(ended) == 6 and isinstance(ended[0], str):
        return f"`{ended[0].rpartition('.')[2]}`"
    return "answer"


def _value(value: Any) -> object:
    if value is None or isinstance(value, (str, int, float, bool, bytes, dict, list, tuple)):
        return _text(value)
    if hasattr(value, "status_code") and hasattr(value, "headers"):
        headers = sorted((k, v) for k, v in dict(value.headers).items() if k != "date")
        return type(value).__name__, value.status_code, _text(headers)
    if hasattr(value, "method") and hasattr(value, "url"):
        return type(value).__name__, value.method, str(value.url)
    return type(value).__name__


def _text(value: object) -> str:
    return _TIMES.sub("T", _VARYING.sub("X", repr(value)))
