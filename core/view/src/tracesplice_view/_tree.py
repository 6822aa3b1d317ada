"""Draws the traces of a run as trees, for terminals and failure messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from tracesplice_view._run import Run, tokens

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tracesplice_view._model import Observation, Trace

__all__ = ["money", "trees"]

_APP, _GATEWAY = "cyan", "magenta"


def trees(run: Run) -> list[RenderableType]:
    """A tree for each trace: what the application made, and the gateway's generations in it."""
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
    said = (("user", observation.user_id), ("session", observation.session_id))
    who = [f"{name} {value}" for name, value in said if value]
    label.append_text(
        Text.assemble(
            f"\n{tokens(observation)} tokens · {money(observation.cost)}",
            "\n",
            (" · ".join(who), "") if who else ("no user, no session", "red"),
        )
    )
    return label


def money(usd: float) -> str:
    """An amount as it is shown."""
    return f"${usd:.6f}"
