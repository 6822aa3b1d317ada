"""What others wrote, as it may be shown: nothing in it moves a cursor or turns a line around."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["printable"]

# Control characters, lone surrogates, and what changes the direction of the text that follows:
# https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff]"
)
_BREAKS = re.compile(r"[\r\n\t]+")


def printable(value: Any, limit: int | None = None, *, lines: bool = False) -> str:
    r"""A value of a trace as text for a terminal or a page; markup still has to be escaped.

    Args:
        value: What somebody wrote: a name, a user's id, an input.
        limit: How many of its characters are shown at most; what is cut is counted at the end.
        lines: Whether its line breaks and tabs stay; else they become spaces.

    Returns:
        The text with control characters and the like as escapes, such as `\x1b`.
    """
    text = str(value)
    cut = "" if limit is None or len(text) <= limit else f" … {len(text) - limit:,} more characters"
    text = text[:limit]
    text = text.replace("\r\n", "\n") if lines else _BREAKS.sub(" ", text)
    return _UNSAFE.sub(_escape, text) + cut


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
