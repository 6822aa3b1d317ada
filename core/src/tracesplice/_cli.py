"""The ``tracesplice`` command, or how to get it: it is an extra of its own."""

from __future__ import annotations

import sys

__all__ = ["main"]

_EXTRA = ("tracesplice_cli", "tracesplice_view", "click", "rich")


def main() -> None:
    """Run the command; without the extra ``[cli]``, say what to type."""
    try:
        from tracesplice_cli import command
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        sys.exit("The tracesplice command needs an extra: pip install 'tracesplice[cli]'")
    command()
