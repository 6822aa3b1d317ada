"""Draws the traces of a run as trees, for terminals and failure messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from tracesplice_view._printable import printable
from tracesplice_view._run import Run, tells, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from tracesplice_view._model import Observation, Trace
    from tracesplice_view._walk import Placed

__all__ = ["duration", "money", "trees"]

_APP, _GATEWAY = "cyan", "magenta"
_DEEPEST = 12  # levels: each takes four columns
_NAME = 200  # characters


def trees(run: Run) -> list[RenderableType]:
    """A tree for each trace: what the application made, and the gateway's generations in it."""
    drawn: list[RenderableType] = []
    for number, trace in enumerate(run.traces, start=1):
        placed = _shown(run, trace)
        drawn += [""] if drawn else []
        drawn.append(_tree(run, trace, number, placed))
        hidden = len(trace.walked) - len(placed)
        if hidden:
            spans = "span" if hidden == 1 else "spans"
            drawn.append(Text(f"    and {hidden} more {spans} of the gateway", "dim"))
    return drawn


def _shown(run: Run, trace: Trace) -> list[Placed]:
    """All but the gateway's inner workings."""
    found: set[str] = set()
    for each in trace.observations:
        if run.of_app(each) or tells(each):
            found.add(each.id)
            for above in run.ancestors(each):
                if above.id in found:
                    break
                found.add(above.id)
    return [each for each in trace.walked if each.observation.id in found]


def _tree(run: Run, trace: Trace, number: int, placed: Sequence[Placed]) -> Tree:
    label = Text.assemble((f"Trace {number}", "bold"), (f"  {printable(trace.id[-8:])}", "dim"))
    tree = Tree(label, guide_style="bright_black")
    way = [tree]
    for each in placed:
        depth = min(each.depth, _DEEPEST)
        del way[depth + 1 :]
        way.append(way[depth].add(_label(run, each)))
    return tree


def _label(run: Run, placed: Placed) -> Text:
    observation = placed.observation
    side, colour = ("app", _APP) if run.of_app(observation) else ("gateway", _GATEWAY)
    deep = f"(level {placed.depth + 1}) " if placed.depth > _DEEPEST else ""
    is_call = tells(observation) or bool(tokens(observation) or observation.cost)
    # What has a prompt and tokens is a generation; the rest says what it is.
    is_plain = tells(observation) and observation.type == "GENERATION"
    kind = [] if is_plain else [observation.type.lower()]
    said = [side, *kind, *(() if is_call else duration(observation))]
    label = Text.assemble(
        (deep, "dim"),
        (printable(observation.name, _NAME), f"bold {colour}"),
        (f"  {printable(' · '.join(said), _NAME)}", colour),
    )
    lines = [*_broken(placed), *(_call(observation) if is_call else ())]
    return Text("\n").join([label, *lines])


def _broken(placed: Placed) -> Iterator[Text]:
    observation = placed.observation
    if placed.note:
        yield Text(printable(placed.note, _NAME), "yellow")
    if observation.level == "ERROR":
        yield Text(
            f"ERROR: {printable(observation.status_message or 'no reason given', 500)}", "red"
        )


def _call(observation: Observation) -> Iterator[Text]:
    if observation.prompt_name:
        prompt = f"prompt {observation.prompt_name} v{observation.prompt_version}"
        yield Text(printable(prompt, _NAME), "green")
    elif observation.type == "GENERATION":
        yield Text("no prompt", "red")
    figures = [f"{tokens(observation)} tokens", money(observation.cost), *duration(observation)]
    yield Text(" · ".join(figures))
    said = (("user", observation.user_id), ("session", observation.session_id))
    who = [f"{name} {printable(value, _NAME)}" for name, value in said if value]
    yield Text(" · ".join(who)) if who else Text("no user, no session", "red")


def duration(observation: Observation) -> list[str]:
    """How long it took, as it is shown; nothing where that is not known."""
    end = observation.end
    if end is None or end == observation.start:
        return []
    seconds = (end - observation.start).total_seconds()
    return [f"{seconds:.2f} s" if abs(seconds) >= 1 else f"{seconds * 1000:.0f} ms"]


def money(usd: float) -> str:
    """An amount as it is shown."""
    return f"${usd:.6f}"
