"""What people hold of each library, and how it is called: made and called in its environment.

A module is named like the library's program, and has `HELD`: by name, a function that makes the
object for a base URL, and functions that call it. What can only be reached by
`tracesplice.instrument` has no calls: splicing it says so.
"""

from __future__ import annotations

from typing import Any

__all__ = ["KEY", "MESSAGES", "QUESTION", "aread", "read"]

KEY = "sk-local"
QUESTION = "question-1"
MESSAGES = [{"role": "user", "content": QUESTION}]


def read(stream: Any) -> list[Any]:
    """Everything in a stream."""
    return list(stream)


async def aread(stream: Any) -> list[Any]:
    """Everything in an asynchronous stream."""
    return [each async for each in stream]
