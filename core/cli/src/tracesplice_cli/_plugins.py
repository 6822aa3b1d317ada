"""`tracesplice plugins`: the adapters found, and what keeps one from working."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from tracesplice._advice import install_commands
from tracesplice._hooks import installed_adapters
from tracesplice_cli._wrapped import print_wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracesplice._plugins import Adapter

__all__ = ["plugins"]

_COLOURS = {"ok": "green", "blocked": "yellow", "problem": "red"}
_NARROW = 60  # columns: in fewer a table cuts words


@click.command(help="Show the adapters found, and what keeps one from working.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
def plugins(as_json: bool) -> None:
    """Print the adapters; exit with 1 if one has a problem."""
    found = installed_adapters().found
    if as_json:
        click.echo(_as_json(found))
    else:
        _show(found)
    sys.exit(any(_state(adapter) == "problem" for adapter in found))


def _state(adapter: Adapter) -> str:
    if adapter.blocked:
        return "blocked"
    return "ok" if adapter.problem is None else "problem"


def _as_json(found: Iterable[Adapter]) -> str:
    rows = [
        {
            "name": adapter.name,
            "package": adapter.package,
            "version": adapter.version,
            "splices": adapter.handles,
            "state": _state(adapter),
            "problem": adapter.problem,
        }
        for adapter in found
    ]
    return json.dumps({"version": version("tracesplice"), "adapters": rows}, indent=2)


def _show(found: Sequence[Adapter]) -> None:
    lines = [f"{each.name} {each.problem}" for each in found if each.problem is not None]
    console = Console()
    if found and console.width < _NARROW:
        _list(console, found)
    elif found:
        titles = ("adapter", "package", "splices", "state")
        table = Table(*(Column(title, overflow="fold") for title in titles))
        for adapter in found:
            state = _state(adapter)
            package = f"{adapter.package} {adapter.version}"
            cells = (adapter.name, package, adapter.handles, Text(state, _COLOURS[state]))
            table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))
        console.print(table)
    else:
        lines = [
            "No adapter is installed. Install the one you need:",
            *(f"  {command}" for command in install_commands()),
        ]
    for line in lines:
        # Not wrapped, so that what is to be typed can be copied.
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _list(console: Console, found: Iterable[Adapter]) -> None:
    for adapter in found:
        state = _state(adapter)
        console.print(Text(f"{adapter.name}  ").append(state, _COLOURS[state]), soft_wrap=True)
        for line in (f"{adapter.package} {adapter.version}", adapter.handles):
            if line:
                print_wrapped(console, Text(f"  {line}"))
