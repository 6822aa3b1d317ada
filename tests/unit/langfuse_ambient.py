"""What is ambient in the tests of a link, and contexts to be in."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context

from tracesplice_wire import Link, PromptRef

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.context import Context

__all__ = ["AMBIENT", "EVERYTHING", "EVERYTHING_LINKED", "OWN", "attached"]

AMBIENT = {"name": "ambient", "version": 2}
OWN: Any = {"name": "own", "version": 3}
EVERYTHING: Any = {
    "user_id": "ann",
    "session_id": "s1",
    "tags": ["a", "b"],
    "trace_name": "chat",
    "environment": "test",
    "version": "1.2",
    "metadata": {"team": "red", "plan": "pro"},
    "prompt": AMBIENT,
}
EVERYTHING_LINKED = Link(
    prompt=PromptRef("ambient", 2),
    user_id="ann",
    session_id="s1",
    tags=("a", "b"),
    trace_name="chat",
    environment="test",
    version="1.2",
    metadata=(("team", "red"), ("plan", "pro")),
)


@contextmanager
def attached(context: Context) -> Iterator[None]:
    token = otel_context.attach(context)
    try:
        yield
    finally:
        otel_context.detach(token)
