"""Says what is being waited for: a spinner in a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

from tracesplice_view import PICTURE_WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["end_as_by_ctrl_c", "new_console", "step"]


def end_as_by_ctrl_c() -> None:
    """Stop what was started also where the process, or its terminal, is ended from outside."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # not under nohup
            signal.signal(number, signal.default_int_handler)


def new_console() -> Console:
    """The terminal; a file or pipe gets the width of two panels, unless `COLUMNS` says else."""
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(highlight=False, width=PICTURE_WIDTH)
    return console


@contextmanager
def step(console: Console, what: str, hint: str = "") -> Iterator[None]:
    """Show that `what` is going on, with a hint at how long, and afterwards how long it took."""
    going_on = f"{what} {hint}".rstrip()
    begun = time.monotonic()
    if console.is_terminal:
        with console.status(f"{going_on} …"):
            yield
    else:
        console.print(f"… {going_on}", markup=False)
        console.file.flush()
        yield
    took = f"({time.monotonic() - begun:.1f} s)"
    console.print(f"[green]✔[/] {what} [dim]{took}[/]")
