"""The one exception type that tracesplice raises."""

from __future__ import annotations

__all__ = ["TracespliceError"]


class TracespliceError(Exception):
    """Something you passed or configured cannot work; the message says what to type instead.

    Raised while you set things up (``splice``, ``instrument``, ``extra_body(prompt=...)``),
    never from inside a model call.
    """
