"""Text on a terminal whose lines go on under its beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["print_wrapped"]

_NARROW = 20  # columns


def print_wrapped(console: Console, text: Text, indent: int = 2) -> None:
    """Print it, each of its lines after the first indented by so many columns."""
    head, rest = text[:indent], text[indent:]
    for line in rest.wrap(console, max(_NARROW, console.width - len(head))):
        line.rstrip()
        console.print(head + line, soft_wrap=True)
        head = Text(" " * len(head))
