"""Which of the gateway's generations tells of the same call as one of the application's."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tracesplice_view._run import tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from tracesplice_view._model import Observation

__all__ = ["CLOCKS", "IDS", "TEXT", "TIME", "USAGE", "paired", "within"]

CLOCKS = timedelta(seconds=10)
"""How far apart two machines' clocks may be."""

IDS, TEXT, USAGE, TIME = "the answer's id", "their texts", "their tokens and time", "time alone"
_ORDER = (IDS, TEXT, USAGE, TIME)
# What LITELLM writes of a call, https://docs.litellm.ai/docs/proxy/logging_spec
_CALL_IDS = ("litellm_call_id", "response_id")
_TEXTS = ("content", "text", "input", "prompt")
_ESCAPED = re.compile(r"\\[nrt]|[\s\\'\"]")
_LONG_ENOUGH = 8  # an id, in characters


def paired(
    own: Iterable[Observation], gateway: Iterable[Observation]
) -> dict[str, tuple[Observation, str]]:
    """For ids of the gateway's generations the application's observation, and what shows it.

    Each of the application's has one; and the attempts that failed before it.
    """
    told = [_Told(each) for each in own]
    found = sorted(_candidates(told, gateway), key=lambda each: each[0])
    pairs: dict[str, tuple[Observation, str]] = {}
    taken: set[str] = set()
    for _, mine, theirs, how in found:
        if theirs.id not in pairs and (mine.id not in taken or theirs.level == "ERROR"):
            pairs[theirs.id] = mine, how
            taken.add(mine.id)
    return pairs


def within(inner: Observation, outer: Observation, slack: timedelta = timedelta()) -> bool:
    """Whether one took place during the other, `slack` more or less."""
    return outer.start - slack <= inner.start and _end(inner) <= _end(outer) + slack


def _candidates(
    told: list[_Told], gateway: Iterable[Observation]
) -> Iterator[tuple[tuple[Any, ...], Observation, Observation, str]]:
    for generation in gateway:
        other = _Told(generation)
        for mine in told:
            how = mine.shares(other)
            if how is None:
                continue
            own = mine.observation
            apart = abs((generation.start - own.start).total_seconds())
            order = (
                _ORDER.index(how),
                generation.level == "ERROR",
                tokens(own) != tokens(generation),
                generation.trace_id != own.trace_id,
                not within(generation, own),
                apart,
                own.id,
                generation.id,
            )
            yield order, own, generation, how


class _Told:
    """An observation, and what can be compared in it."""

    def __init__(self, observation: Observation) -> None:
        self.observation = observation
        self.ids = tuple(_call_ids(observation.metadata))
        self.texts = [bare for each in _texts(observation.input) if (bare := _bare(each))]

    @cached_property
    def asked(self) -> str:
        """What it says was asked."""
        return _bare(str(self.observation.input))

    @cached_property
    def beside(self) -> str:
        """What else it says, where an id of the answer may be."""
        return _bare(f"{self.observation.output} {self.observation.metadata}")

    def shares(self, gateway: _Told) -> str | None:
        """What shows that both are of one call; None if nothing does."""
        mine, theirs = self.observation, gateway.observation
        if not within(theirs, mine, CLOCKS):
            return None
        if any(each in self.beside for each in gateway.ids):
            return IDS
        if gateway.texts and all(each in self.asked for each in gateway.texts):
            return TEXT
        if not within(theirs, mine):
            return None
        # A mask may have changed either text.
        if tokens(mine) == tokens(theirs) != 0:
            return USAGE
        return TIME if mine.level == theirs.level == "ERROR" else None


def _call_ids(metadata: Mapping[str, Any]) -> Iterator[str]:
    for name in _CALL_IDS:
        value = metadata.get(name)
        if isinstance(value, str) and len(value) >= _LONG_ENOUGH:
            yield value


def _texts(value: Any, name: str = "input") -> Iterator[str]:
    """The texts of messages, whatever they are wrapped in."""
    if isinstance(value, str):
        if name in _TEXTS:
            yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, "input" if key in ("messages", "parts") else str(key))
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, name)


def _bare(text: str) -> str:
    """Without what quoting and escaping add or take."""
    return _ESCAPED.sub("", text)


def _end(observation: Observation) -> datetime:
    return observation.end or observation.start
