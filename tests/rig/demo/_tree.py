"""Draws runs: trace trees in two panels, side by side where the terminal is wide enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from rig.demo._run import Run, tokens

if TYPE_CHECKING:
    from rig.demo._verdict import Finding, Verdict
    from rig.recorder import Observation, Trace

__all__ = ["SIDE_BY_SIDE", "draw"]

SIDE_BY_SIDE = 100
"""Columns from which two panels fit beside each other."""

_APP, _GATEWAY = "cyan", "magenta"
_STATES = {"good": ("✔", "green"), "bad": ("✘", "red"), "open": ("○", "yellow")}
_MASK = "mask_otel_spans=tracesplice.count_usage_once()"  # of the Langfuse client
_FRAME = 4  # the panel's borders and padding


def draw(
    console: Console, made: str, before: tuple[Run, Verdict], after: tuple[Run, Verdict]
) -> RenderableType:
    """Both runs; `made` is the line of code that makes the framework's object."""
    wide = console.width >= SIDE_BY_SIDE
    width = console.width // 2 if wide else console.width
    trees = [Group(*_trees(run)) for run, _ in (before, after)]
    heights = [len(console.render_lines(tree, _inside(console, width))) for tree in trees]
    gaps = [max(heights) - height if wide else 0 for height in heights]
    name = made.partition(" = ")[0]
    spliced = f"{name} = tracesplice.splice({name})\n{_MASK}"
    code = [Text(f"{made}\n\n", "dim"), Text.assemble((f"{made}\n", "dim"), spliced)]
    panels = [
        _panel(title, line, tree, gap, verdict, width)
        for title, line, tree, gap, (_, verdict) in zip(
            ("before", "after"), code, trees, gaps, (before, after), strict=True
        )
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


def _panel(title: str, code: Text, tree: Group, gap: int, verdict: Verdict, width: int) -> Panel:
    colour = _STATES[verdict.traces.state][1]
    body = Group(code, "", tree, *[""] * gap, "", *_conclusion(verdict))
    return Panel(
        body,
        title=Text(f" {title} ", f"bold {colour}"),
        border_style=colour,
        width=width,
        box=box.ROUNDED,
    )


def _conclusion(verdict: Verdict) -> list[Text]:
    colour = _STATES[verdict.traces.state][1]
    badge = Text(f" {verdict.traces.text} ", f"bold white on {colour}")
    total = Text.assemble("∑ ", f"{verdict.tokens} tokens · {_money(verdict.cost)}")
    if verdict.times_counted == 1:
        total.append("  counted once", "green")
    elif verdict.times_counted:
        total.append(f"  counted {verdict.times_counted:.3g} times", "red")
    return [badge, _line(verdict.parent), _line(verdict.prompt), total]


def _line(finding: Finding) -> Text:
    mark, colour = _STATES[finding.state]
    return Text(f"{mark} {finding.text}", colour)


def _trees(run: Run) -> list[RenderableType]:
    trees: list[RenderableType] = []
    for number, trace in enumerate(run.traces, start=1):
        label = Text.assemble((f"Trace {number}", "bold"), (f"  {trace.id[-8:]}", "dim"))
        tree = Tree(label, guide_style="bright_black")
        shown = _shown(run, trace)
        for root in trace.roots():
            _add(tree, run, trace, root, shown)
        trees += [tree] if number == 1 else ["", tree]
        hidden = len(trace.observations) - len(shown)
        if hidden:
            spans = "span" if hidden == 1 else "spans"
            trees.append(Text(f"    and {hidden} more {spans} of the gateway", "dim"))
    return trees


def _shown(run: Run, trace: Trace) -> set[str]:
    """The ids of all but the gateway's inner workings."""
    told = [o for o in trace.observations if run.of_app(o)]
    told += [o for o in run.generations(app=False) if o.trace_id == trace.id]
    return {each.id for o in told for each in (o, *run.ancestors(o))}


def _add(tree: Tree, run: Run, trace: Trace, observation: Observation, shown: set[str]) -> None:
    if observation.id not in shown:
        return
    branch = tree.add(_label(run, observation))
    for child in trace.children(observation.id):
        _add(branch, run, trace, child, shown)


def _label(run: Run, observation: Observation) -> Text:
    side, colour = ("app", _APP) if run.of_app(observation) else ("gateway", _GATEWAY)
    label = Text.assemble((observation.name, f"bold {colour}"), (f"  {side}", colour))
    if observation not in run.generations(app=run.of_app(observation)):
        return label
    prompt = (f"prompt {observation.prompt_name} v{observation.prompt_version}", "green")
    label.append_text(
        Text.assemble("\n", prompt if observation.prompt_name else ("no prompt", "red"))
    )
    who = [each for each in (observation.user_id, observation.session_id) if each]
    label.append_text(
        Text.assemble(
            f"\n{tokens(observation)} tokens · {_money(observation.cost)}",
            "\n",
            (f"user {' · '.join(who)}", "") if who else ("no user, no session", "red"),
        )
    )
    return label


def _money(usd: float) -> str:
    return f"${usd:.6f}"
