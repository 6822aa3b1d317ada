"""An amount of tokens and dollars, to add, compare and subtract."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NOTHING", "UNKNOWN", "Used"]


@dataclass(slots=True)
class Used:
    """What was used.

    Attributes:
        tokens: In all.
        kinds: Tokens by kind, such as "input"; not all of them, where only a total is known.
        cost: In dollars, 0 where it is not known.
        is_known: Whether this is all.
    """

    tokens: float = 0.0
    kinds: Mapping[str, float] = field(default_factory=dict)
    cost: float = 0.0
    is_known: bool = True

    def __add__(self, other: Used) -> Used:
        kinds = {
            kind: self.kinds.get(kind, 0) + other.kinds.get(kind, 0)
            for kind in {**self.kinds, **other.kinds}
        }
        known = self.is_known and other.is_known
        return Used(self.tokens + other.tokens, kinds, self.cost + other.cost, known)

    def __sub__(self, other: Used) -> Used:
        """Return what is more than ``other``: nothing if that is not known."""
        if not self.is_known:
            return self
        if not other.is_known or self.tokens <= other.tokens:
            return NOTHING
        tokens = self.tokens - other.tokens
        kinds = {
            kind: self.kinds.get(kind, 0) - other.kinds.get(kind, 0)
            for kind in {**self.kinds, **other.kinds}
        }
        share = tokens / self.tokens
        cost = max(self.cost - other.cost, 0) if other.cost else self.cost * share
        return Used(tokens, kinds, cost)

    def larger(self, other: Used) -> Used:
        """Return the larger of two amounts, or that which is not known."""
        if self.is_known and (self.tokens < other.tokens or not other.is_known):
            return other
        return self

    def is_as_much_as(self, other: Used) -> bool:
        """Return whether both are the same amount, of input and of output as far as they say."""
        if not self.is_known or not other.is_known or self.tokens != other.tokens:
            return False
        return self.both == other.both or (0, 0) in (self.both, other.both)

    @property
    def both(self) -> tuple[float, float]:
        """Tokens of input and of output, whatever their kinds."""
        starts = ("input", "output")
        first, second = (
            sum(n for kind, n in self.kinds.items() if kind.startswith(start)) for start in starts
        )
        return first, second

    @property
    def details(self) -> dict[str, float]:
        """Tokens as Langfuse takes them: by kind as far as the kinds add up to all."""
        total = {"total": self.tokens}
        found = {kind: n for kind, n in self.kinds.items() if n}
        for kinds in (found, dict(zip(("input", "output"), self.both, strict=True))):
            if all(n >= 0 for n in kinds.values()) and sum(kinds.values()) == self.tokens:
                return {kind: _whole(n) for kind, n in {**kinds, **total}.items()}
        return {kind: _whole(n) for kind, n in total.items()}

    def __bool__(self) -> bool:
        return not self.is_known or bool(self.tokens or self.cost)


def _whole(number: float) -> float:
    # As `3`, not `3.0`, where it is whole.
    return int(number) if number == int(number) else number


NOTHING = Used()
UNKNOWN = Used(is_known=False)
