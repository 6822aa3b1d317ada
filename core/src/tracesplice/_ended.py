"""Counts the spans that end, to know whether there is anything to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["Ended"]


class Ended(SpanProcessor):
    """The spans of a tracer provider that ended since it was added there.

    Attributes:
        count: How many; there may be one of before.
        sent: How many of them are sent.
    """

    def __init__(self) -> None:
        self.count, self.sent = 1, 0

    def on_end(self, span: ReadableSpan) -> None:
        """Count one."""
        self.count += 1
