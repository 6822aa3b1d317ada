"""Which of the gateway's generations tells of the same call as one of the application's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice_view._run import tokens
from tracesplice_view._told import CLOCKS, IDS, TEXT, TIME, USAGE, Told, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracesplice_view._model import Observation

__all__ = ["CLOCKS", "TIME", "paired", "within"]

_ORDER = {how: number for number, how in enumerate((IDS, TEXT, USAGE, TIME))}


def paired(
    own: Iterable[Observation], gateway: Iterable[Observation]
) -> dict[str, tuple[Observation, str]]:
    """For ids of the gateway's generations the application's observation, and what shows it.

    Each of the application's has one; and the attempts that failed before it.
    """
    found = sorted(_candidates(Told(own), gateway), key=lambda each: each[0])
    pairs: dict[str, tuple[Observation, str]] = {}
    taken: set[str] = set()
    for _, mine, theirs, how in found:
        if theirs.id not in pairs and (mine.id not in taken or theirs.level == "ERROR"):
            pairs[theirs.id] = mine, how
            taken.add(mine.id)
    return pairs


def _candidates(
    told: Told, gateway: Iterable[Observation]
) -> Iterator[tuple[tuple[Any, ...], Observation, Observation, str]]:
    for generation in gateway:
        for own, how in told.of(generation):
            order = (
                _ORDER[how],
                generation.level == "ERROR",
                tokens(own) != tokens(generation),
                generation.trace_id != own.trace_id,
                not within(generation, own),
                abs((generation.start - own.start).total_seconds()),
                own.id,
                generation.id,
            )
            yield order, own, generation, how
