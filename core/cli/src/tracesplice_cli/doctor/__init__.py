"""`tracesplice doctor`: what keeps calls from being one trace, and what to type."""

from tracesplice_cli.doctor._command import doctor

__all__ = ["doctor"]
