"""One call, judged by itself: what does not hold of it, and why."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tracesplice_view._judge import Seen, judge
from tracesplice_view._run import dollars, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracesplice_view._model import Observation

__all__ = ["Call"]

# What is judged as if both sides were joined, because it has to be said on both anyway.
_ON_BOTH = "cdi"


@dataclass(frozen=True)
class Call:
    """One call, as both sides tell of it.

    Attributes:
        own: The application's observation of it, or the one around it; None if none was found.
        gateway: The gateway's generations of it: none, one, or one for each attempt.
        seen: Both, what is around them, and what the gateway made in them.
        shared: What shows that both are of one call, where the gateway's is not under `own`.
    """

    own: Observation | None
    gateway: tuple[Observation, ...]
    seen: Seen
    shared: str | None = None

    @property
    def is_split(self) -> bool:
        """Whether its two sides lie in different traces, or one of them was not found."""
        return self.own is None or any(each.trace_id != self.own.trace_id for each in self.gateway)

    @property
    def is_beside(self) -> bool:
        """Whether its sides lie in one trace, and the gateway's not under the application's."""
        return self.shared is not None and not self.is_split

    @property
    def excess(self) -> tuple[int, float]:
        """Tokens and dollars that Langfuse adds up beyond what the gateway says of it."""
        return self.seen.excess

    @cached_property
    def wrong(self) -> dict[str, str]:
        """What does not hold of it, by the judge's letters."""
        if self.own is None:
            return {"a": f"nothing of the application's for {_names(self.gateway)} was found"}
        if not self.gateway:
            # A call that failed may have reached nobody.
            text = f"nothing of the gateway's for {_name(self.own)} was found"
            return {} if self.own.level == "ERROR" else {"a": text}
        checks = judge(self.seen)
        if self.shared is not None:
            joined = judge(self._joined(self.own))
            checks |= {letter: joined[letter] for letter in _ON_BOTH}
        told = {"a": self._split, "g": self._counted}
        return {
            letter: told[letter](text) if letter in told else text
            for letter, text in checks.items()
            if text is not None
        }

    def _joined(self, own: Observation) -> Seen:
        moved = [
            dataclasses.replace(each, trace_id=own.trace_id, parent_id=own.id)
            for each in self.gateway
        ]
        by_id = self.seen.by_id | {each.id: each for each in moved}
        return dataclasses.replace(self.seen, by_id=by_id, gateway=moved)

    def _split(self, text: str) -> str:
        if self.own is None or not self.is_split:
            return text
        there = ", ".join(dict.fromkeys(each.trace_id for each in self.gateway))
        matched = f"; matched by {self.shared}" if self.shared else ""
        return (
            f"split: {_name(self.own)} is in trace {self.own.trace_id}, "
            f"{_names(self.gateway)} of the gateway in trace {there}{matched}"
        )

    def _counted(self, text: str) -> str:
        claims = [each for each in self.seen.by_id.values() if tokens(each) or each.cost]
        if len(claims) < 2:
            return text
        said = [f"{_name(each)} ({tokens(each)} tokens, {dollars(each.cost)})" for each in claims]
        return f"counted by {', '.join(said[:-1])} and by {said[-1]}"


def _names(observations: Iterable[Observation]) -> str:
    return ", ".join(dict.fromkeys(map(_name, observations)))


def _name(observation: Observation) -> str:
    return repr(observation.name)
