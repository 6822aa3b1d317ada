"""Draws runs: trace trees in two panels, side by side where the terminal is wide enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tracesplice_view import summary, trees

if TYPE_CHECKING:
    from tracesplice_view import Judged

__all__ = ["SIDE_BY_SIDE", "draw"]

SIDE_BY_SIDE = 100
"""Columns from which two panels fit beside each other."""

_MASK = "mask_otel_spans=tracesplice.count_usage_once()"  # of the Langfuse client
_FRAME = 4  # the panel's borders and padding


def draw(console: Console, made: str, before: Judged, after: Judged) -> RenderableType:
    """Both runs; `made` is the line of code that makes the framework's object."""
    wide = console.width >= SIDE_BY_SIDE
    width = console.width // 2 if wide else console.width
    drawn = [Group(*trees(each.run)) for each in (before, after)]
    heights = [len(console.render_lines(tree, _inside(console, width))) for tree in drawn]
    gaps = [max(heights) - height if wide else 0 for height in heights]
    name = made.partition(" = ")[0]
    spliced = f"{name} = tracesplice.splice({name})\n{_MASK}"
    code = [Text(f"{made}\n\n", "dim"), Text.assemble((f"{made}\n", "dim"), spliced)]
    bodies = [
        Group(line, "", tree, *[""] * gap, "", *summary(each, why=False))
        for line, tree, gap, each in zip(code, drawn, gaps, (before, after), strict=True)
    ]
    panels = [
        _panel("before", bodies[0], before, width),
        _panel("after", bodies[1], after, width),
    ]
    if not wide:
        return Group(*panels)
    height = max(len(console.render_lines(panel)) for panel in panels)
    for panel in panels:
        panel.height = height
    grid = Table.grid(padding=0)
    grid.add_row(*panels)
    return grid


def _inside(console: Console, width: int) -> ConsoleOptions:
    return console.options.update(width=width - _FRAME)


def _panel(title: str, body: Group, judged: Judged, width: int) -> Panel:
    colour = "red" if judged.wrong else "green"
    return Panel(
        body,
        title=Text(f" {title} ", f"bold {colour}"),
        border_style=colour,
        width=width,
        box=box.ROUNDED,
    )
