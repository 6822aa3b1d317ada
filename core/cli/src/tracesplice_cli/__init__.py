"""The ``tracesplice`` command; it comes with `tracesplice[cli]`."""

from tracesplice_cli._command import command

__all__ = ["command"]
