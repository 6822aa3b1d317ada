"""What the application tells of its calls, to be searched for what the gateway tells of one."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from datetime import timedelta
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from tracesplice_view._run import tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from tracesplice_view._model import Observation

__all__ = ["CLOCKS", "IDS", "TEXT", "TIME", "USAGE", "Told", "within"]

CLOCKS = timedelta(seconds=10)
"""How far apart two machines' clocks may be."""

IDS, TEXT, USAGE, TIME = "the answer's id", "their texts", "their tokens and time", "time alone"
# What LITELLM writes of a call, https://docs.litellm.ai/docs/proxy/logging_spec
_CALL_IDS = ("litellm_call_id", "response_id")
_TEXTS = ("content", "text", "input", "prompt")
_ESCAPED = re.compile(r"\\[nrt]|[\s\\'\"]")
_LONG_ENOUGH = 8  # an id, in characters
_BETWEEN = "\n"  # in no text that is bare


def within(inner: Observation, outer: Observation, slack: timedelta = timedelta()) -> bool:
    """Whether one took place during the other, `slack` more or less."""
    return outer.start - slack <= inner.start and _end(inner) <= _end(outer) + slack


class Told:
    """The application's observations by start, and what can be compared in them.

    No pair is looked at without a reason: thousands of calls may have been made at once.
    """

    def __init__(self, own: Iterable[Observation]) -> None:
        self._own = sorted(own, key=lambda each: each.start)
        self._starts = [each.start for each in self._own]
        lengths = (_end(each) - each.start for each in self._own)
        self._longest = max(lengths, default=timedelta())
        self._failed = [n for n, each in enumerate(self._own) if each.level == "ERROR"]
        self._by_tokens: dict[int, list[int]] = {}
        for number, each in enumerate(self._own):
            self._by_tokens.setdefault(tokens(each), []).append(number)

    @cached_property
    def _asked(self) -> _Texts:
        """What they say was asked."""
        return _Texts(str(each.input) for each in self._own)

    @cached_property
    def _beside(self) -> _Texts:
        """What else they say, where an id of the answer may be."""
        return _Texts(f"{each.output} {each.metadata}" for each in self._own)

    def of(self, generation: Observation) -> Iterator[tuple[Observation, str]]:
        """Those that may tell of the same call, and what shows it."""
        first = bisect_left(self._starts, _end(generation) - CLOCKS - self._longest)
        last = bisect_right(self._starts, generation.start + CLOCKS)
        if first >= last:
            return
        found: dict[int, str] = {}
        for number in self._with_ids(generation, first, last):
            found.setdefault(number, IDS)
        for number in self._with_texts(generation, first, last):
            found.setdefault(number, TEXT)
        for number, how in self._at_the_time(generation, first, last):
            found.setdefault(number, how)
        for number, how in found.items():
            own = self._own[number]
            slack = CLOCKS if how in (IDS, TEXT) else timedelta()
            if within(generation, own, slack):
                yield own, how

    def _with_ids(self, generation: Observation, first: int, last: int) -> Iterator[int]:
        for each in _call_ids(generation.metadata):
            yield from self._beside.having(each, first, last)

    def _with_texts(self, generation: Observation, first: int, last: int) -> Iterator[int]:
        texts = [text for each in _texts(generation.input) if (text := _bare(each))]
        if texts:
            texts.sort(key=len)
            for number in self._asked.having(texts.pop(), first, last):
                if all(self._asked.has(number, each) for each in texts):
                    yield number

    def _at_the_time(
        self, generation: Observation, first: int, last: int
    ) -> Iterator[tuple[int, str]]:
        used = tokens(generation)
        # A mask may have changed either text.
        same = self._by_tokens.get(used, []) if used else []
        failed = self._failed if generation.level == "ERROR" else []
        for numbers, how in ((same, USAGE), (failed, TIME)):
            begin, end = bisect_left(numbers, first), bisect_left(numbers, last)
            yield from ((number, how) for number in numbers[begin:end])


class _Texts:
    """Many texts, without what quoting and escaping add or take, searched as one."""

    def __init__(self, texts: Iterable[str]) -> None:
        bare = [_bare(each) for each in texts]
        self._starts = [0, *accumulate(len(each) + len(_BETWEEN) for each in bare)]
        self._all = _BETWEEN.join(bare)

    def having(self, text: str, first: int, last: int) -> Iterator[int]:
        """The numbers of those from `first` to before `last` that the text is in."""
        end = self._starts[last]
        place = -1 if _BETWEEN in text else self._all.find(text, self._starts[first], end)
        while place >= 0:
            number = bisect_right(self._starts, place) - 1
            yield number
            place = self._all.find(text, self._starts[number + 1], end)

    def has(self, number: int, text: str) -> bool:
        """Whether the text is in the one of that number."""
        return self._all.find(text, self._starts[number], self._starts[number + 1]) >= 0


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
