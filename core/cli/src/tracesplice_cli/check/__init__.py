"""`tracesplice check`: whether the calls of a trace are unified, and if not, why."""

from tracesplice_cli.check._command import check

__all__ = ["check"]
