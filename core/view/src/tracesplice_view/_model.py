"""A trace and its observations, as Langfuse shows them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tracesplice_view._printable import printable
from tracesplice_view._walk import walk

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tracesplice_view._walk import Placed

__all__ = ["Observation", "Trace", "parsed"]

_DEEPEST = 200  # levels of a value that is walked through by recursion


@dataclass(frozen=True)
class Observation:
    """One observation as Langfuse would show it; costs in USD, `usage` in tokens by kind.

    `prompt_name` and `prompt_version` are set only when Langfuse would link the prompt.
    `estimated` says that the server counted the tokens itself, `priced` that the cost is its own.
    `attributes` is what was sent.
    """

    id: str
    trace_id: str
    parent_id: str | None
    name: str
    type: str
    start: datetime
    end: datetime | None
    model: str | None = None
    input: Any = None
    output: Any = None
    level: str = "DEFAULT"
    status_message: str | None = None
    usage: dict[str, int] = field(default_factory=dict)
    cost: float = 0.0
    estimated: bool = False
    priced: bool = False
    prompt_name: str | None = None
    prompt_version: int | None = None
    user_id: str | None = None
    session_id: str | None = None
    tags: tuple[str, ...] = ()
    environment: str = "default"
    metadata: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    scope: str = ""
    service: str = ""
    project: str = ""

    def line(self) -> str:
        """The observation in one line, for trees and failure messages."""
        parts = [f"{self.type} {self.name!r} {self.id}"]
        if self.model:
            parts.append(f"model={self.model}")
        if self.usage or self.cost:
            tokens, cost = ("~" if own else "" for own in (self.estimated, self.priced))
            parts.append(f"tokens={tokens}{self.usage.get('total', 0)} cost={cost}{self.cost:.6g}")
        if self.prompt_name:
            parts.append(f"prompt={self.prompt_name}@{self.prompt_version}")
        parts += [f"user={self.user_id}"] if self.user_id else []
        parts += [f"session={self.session_id}"] if self.session_id else []
        parts += [f"{self.level}: {self.status_message}"] if self.level == "ERROR" else []
        return printable(" ".join([*parts, f"[{self.scope}]"] if self.scope else parts))


@dataclass(frozen=True)
class Trace:
    """One trace: what was written about it as a whole, and its observations by start time."""

    id: str
    name: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    tags: tuple[str, ...] = ()
    environment: str = "default"
    input: Any = None
    output: Any = None
    observations: tuple[Observation, ...] = ()
    project: str = ""

    @property
    def usage(self) -> dict[str, int]:
        """Tokens by kind, summed over every observation, as Langfuse sums them."""
        total: Counter[str] = Counter()
        for observation in self.observations:
            total.update(observation.usage)
        return dict(total)

    @property
    def cost(self) -> float:
        """USD, summed over every observation, nested or not."""
        return sum(observation.cost for observation in self.observations)

    @cached_property
    def walked(self) -> list[Placed]:
        """Every observation once, parents first, with how deep it is and what is broken there."""
        return walk(self.observations)

    @cached_property
    def _children(self) -> dict[str | None, list[Observation]]:
        found: dict[str | None, list[Observation]] = {}
        for each in self.observations:
            found.setdefault(each.parent_id, []).append(each)
        return found

    def roots(self) -> tuple[Observation, ...]:
        """Observations whose parent is not in this trace."""
        ids = {observation.id for observation in self.observations}
        return tuple(o for o in self.observations if o.parent_id not in ids)

    def children(self, observation_id: str) -> tuple[Observation, ...]:
        """Direct children, by start time."""
        return tuple(self._children.get(observation_id, ()))

    def tree(self) -> str:
        """The trace as indented text, a line for each observation."""
        lines = [f"trace {self.name!r} {printable(self.id)} cost={self.cost:.6g}"]
        for each in self.walked:
            note = f" ({each.note})" if each.note else ""
            lines.append("  " * (each.depth + 1) + each.observation.line() + note)
        return "\n".join(lines)


def parsed(value: Any) -> Any:
    """A JSON text as its value, anything else as it is: Langfuse's older API reads I/O so.

    What is nested too deep to be walked through stays text, or becomes it.
    """
    if not isinstance(value, str):
        return "nested too deep to be read" if _is_deep(value) else value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return value if _is_deep(found) else found


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
