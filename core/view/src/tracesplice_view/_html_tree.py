"""A trace as nested lists: a line for each observation, which opens to all that is known of it."""

from __future__ import annotations

from datetime import timezone
from typing import TYPE_CHECKING, Any

from tracesplice_view._html_text import block, element, shown
from tracesplice_view._run import tells, tokens
from tracesplice_view._tree import duration, money

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracesplice_view._model import Observation, Trace
    from tracesplice_view._run import Run
    from tracesplice_view._walk import Placed

__all__ = ["trace_tree"]

# Browsers flatten what is nested deeper than 512 elements, and a phone is 360 pixels wide.
_DEEPEST = 24


def trace_tree(run: Run, trace: Trace, number: int) -> Iterator[str]:
    """The lines of a trace: heading, what it says of itself, and its observations."""
    name = f" {shown(trace.name)}" if trace.name else ""
    yield f"<h3>Trace {number}{name} <code>{shown(trace.id, 64)}</code></h3>"
    yield _list(
        {
            "tokens": f"{trace.usage.get('total', 0):,}",
            "cost": money(trace.cost),
            "user": trace.user_id,
            "session": trace.session_id,
            "tags": ", ".join(trace.tags),
            "environment": trace.environment,
            "observations": f"{len(trace.observations):,}",
        }
    )
    yield f'<ul class="tree" aria-label="Observations of trace {number}">'
    yield from _rows(run, trace)
    yield "</ul>"


def _rows(run: Run, trace: Trace) -> Iterator[str]:
    open_lists = 0
    for index, placed in enumerate(trace.walked):
        depth = min(placed.depth, _DEEPEST)
        if depth > open_lists:
            yield "<ul>"
        elif index:
            yield "</li>" + "</ul></li>" * (open_lists - depth)
        open_lists = depth
        yield f"<li>{_row(run, placed)}"
    if trace.walked:
        yield "</li>" + "</ul></li>" * open_lists


def _row(run: Run, placed: Placed) -> str:
    observation = placed.observation
    side = "app" if run.of_app(observation) else "gateway"
    deep = f'<span class="note">level {placed.depth + 1}</span> ' if placed.depth > _DEEPEST else ""
    name = element("b", shown(observation.name or "(no name)"), class_=f"name {side}")
    said = [side, shown(observation.type.lower(), 40), *duration(observation)]
    summary = [deep + name, *(f"<span>{each}</span>" for each in (*said, *_figures(observation)))]
    summary += [element("span", each, class_="bad") for each in _faults(placed)]
    details = _list(_known(observation)) + "".join(_texts(observation))
    return f"<details><summary>{' '.join(summary)}</summary>{details}</details>"


def _figures(observation: Observation) -> Iterator[str]:
    if tokens(observation) or observation.cost or tells(observation):
        yield f"{tokens(observation):,} tokens"
        yield money(observation.cost)
    if observation.prompt_name:
        yield f"prompt {shown(observation.prompt_name, 80)} v{shown(observation.prompt_version)}"
    if observation.user_id and tells(observation):
        yield f"user {shown(observation.user_id, 80)}"


def _faults(placed: Placed) -> Iterator[str]:
    observation = placed.observation
    if placed.note:
        yield shown(placed.note)
    if observation.level == "ERROR":
        yield f"error: {shown(observation.status_message or 'no reason given')}"
    if tells(observation) and observation.type == "GENERATION" and not observation.prompt_name:
        yield "no prompt"
    if tells(observation) and not observation.user_id:
        yield "no user"


def _known(observation: Observation) -> dict[str, Any]:
    usage = ", ".join(f"{kind} {count:,}" for kind, count in observation.usage.items())
    return {
        "id": observation.id,
        "parent": observation.parent_id,
        "model": observation.model,
        "usage": usage,
        "session": observation.session_id,
        "tags": ", ".join(map(str, observation.tags)),
        "environment": observation.environment,
        "began": f"{observation.start.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC",
        "made by": observation.scope or observation.service,
    }


def _texts(observation: Observation) -> Iterator[str]:
    for title, value in (("input", observation.input), ("output", observation.output)):
        if value is not None:
            yield f'<p class="label">{title}</p>{block(value)}'


def _list(known: dict[str, Any]) -> str:
    told = {key: value for key, value in known.items() if value}
    pairs = (f"<div><dt>{key}</dt><dd>{shown(value)}</dd></div>" for key, value in told.items())
    return f"<dl>{''.join(pairs)}</dl>"
