"""Says what is being waited for, on stderr: a spinner in a terminal, plain lines elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

__all__ = ["step"]


@contextmanager
def step(console: Console, what: str) -> Iterator[Callable[[str], None]]:
    """Show that `what` is going on; the function that is yielded says how far it is."""
    if not console.is_terminal:
        console.print(Text(f"… {what}"), soft_wrap=True)
        yield lambda _: None
        return
    with console.status(Text(f"{what} …")) as status:
        yield lambda more: status.update(Text(f"{what} … {more}"))
