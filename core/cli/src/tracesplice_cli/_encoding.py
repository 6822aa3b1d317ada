"""What is printed where the encoding does not have every sign, such as a pipe on Windows."""

from __future__ import annotations

import codecs
import io
import sys

__all__ = ["print_anything"]

_NAME = "tracesplice"
_INSTEAD = {
    "✔": "+", "✘": "x", "○": "o", "…": "...", "→": "->", "·": "-", "∑": "sum:",
}  # fmt: skip


def print_anything() -> None:
    """Have stdout and stderr print something readable in place of what they cannot."""
    codecs.register_error(_NAME, _instead)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_NAME)


def _instead(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_INSTEAD.get(each, "?") for each in text), error.end
