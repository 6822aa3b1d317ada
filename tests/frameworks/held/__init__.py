"""What people hold of each library, and how it is called: made and called in its environment.

A module is named like the library's program, and has `HELD`: by name, a function that makes the
object for a base URL, and functions that call it. What cannot be spliced has in their place what
the error says, or nothing where it says to type `tracesplice.instrument`.
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
