"""``python -m tracesplice`` is the command."""

from tracesplice._cli import main

__all__: list[str] = []

main()
