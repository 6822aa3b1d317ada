"""The findings on a terminal, and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING

from rich.text import Text

from tracesplice_cli._wrapped import print_wrapped
from tracesplice_view import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from tracesplice_cli.doctor._finding import Finding

__all__ = ["as_json", "show", "show_summary"]

_MARKS = {"ok": ("✔", "green"), "problem": ("✘", "bold red"), "unknown": ("?", "yellow")}


def show(console: Console, title: str, findings: Iterable[Finding]) -> None:
    """Print a group of findings."""
    console.print(Text(f"\n{title}", "bold"))
    for finding in findings:
        mark, style = _MARKS[finding.state]
        # In two columns, so that a sentence goes on under its beginning.
        print_wrapped(console, Text(f"{mark} ", style) + Text(printable(finding.what)))
        if finding.why:
            print_wrapped(console, Text(f"  {printable(finding.why)}", "dim"))
        for line in finding.type:
            # Not wrapped, so that it can be copied.
            console.print(Text(f"      {printable(line)}", "cyan"), soft_wrap=True)


def show_summary(console: Console, findings: Sequence[Finding]) -> None:
    """Print how many there are of each kind."""
    counts = {state: sum(each.state == state for each in findings) for state in _MARKS}
    mend, unseen = counts["problem"], counts["unknown"]
    text = f"{mend} to mend" if mend else "Nothing to mend"
    if unseen:
        text += f", {unseen} that cannot be seen from here"
    console.print(Text(f"\n{text}.", "bold red" if mend else "bold green"))


def as_json(findings: Sequence[Finding]) -> str:
    """All of it, for machines."""
    rows = [asdict(finding) for finding in findings]
    return json.dumps({"version": version("tracesplice"), "findings": rows}, indent=2)
