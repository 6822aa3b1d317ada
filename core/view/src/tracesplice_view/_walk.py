"""In which order, and how deep, the observations of a trace are drawn, however broken it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tracesplice_view._printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tracesplice_view._model import Observation

__all__ = ["Placed", "ancestors", "walk"]


@dataclass(frozen=True)
class Placed:
    """An observation and how deep it is, 0 at the top; `note` says what is broken there."""

    observation: Observation
    depth: int
    note: str | None = None


def ancestors(by_id: Mapping[str, Observation], observation: Observation) -> Iterator[Observation]:
    """The observations above one, nearest first, each once, even where parents are a circle."""
    passed = {observation.id}
    above = by_id.get(observation.parent_id or "")
    while above is not None and above.id not in passed:
        yield above
        passed.add(above.id)
        above = by_id.get(above.parent_id or "")


def walk(observations: Sequence[Observation]) -> list[Placed]:
    """All of them, each once, parents before their children; without recursion, in linear time."""
    by_id: dict[str, Observation] = {}
    children: dict[str, list[Observation]] = {}
    for each in observations:
        by_id.setdefault(each.id, each)
        if each.parent_id:
            children.setdefault(each.parent_id, []).append(each)
    placed: dict[int, Placed] = {}
    for each in observations:
        if not each.parent_id or each.parent_id not in by_id:
            _place(placed, children, Placed(each, 0, _orphan(each)))
    for each in observations:
        if id(each) not in placed:
            *_, top = (each, *ancestors(by_id, each))
            _place(placed, children, Placed(top, 0, "its parents are a circle"))
    return [_noted(each, by_id) for each in placed.values()]


def _orphan(observation: Observation) -> str | None:
    missing = observation.parent_id
    return f"its parent {printable(missing, 64)} is not in this trace" if missing else None


def _noted(placed: Placed, by_id: Mapping[str, Observation]) -> Placed:
    if placed.note or by_id[placed.observation.id] is placed.observation:
        return placed
    return replace(placed, note="another one has the same id")


def _place(placed: dict[int, Placed], children: dict[str, list[Observation]], top: Placed) -> None:
    """Put one and all below it; what is below an id that is there twice is below the first."""
    waiting = [top]
    while waiting:
        each = waiting.pop()
        if placed.setdefault(id(each.observation), each) is each:
            below = children.pop(each.observation.id, ())
            waiting += [Placed(child, each.depth + 1) for child in reversed(below)]
