"""What the recorder says of what Langfuse would not keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Storage = Literal["v4", "old"]
"""Langfuse's current storage (`events_only`), and the tables before it."""

ProblemKind = Literal["dropped", "prompt", "prompt-type", "value", "cost"]
"""Lost is a whole observation or request, a prompt link, one field's value, or a cost.

"prompt-type" is a prompt on something that is no generation: `propagate_attributes(prompt=)` of
Langfuse's own SDK puts it on every observation, so it may be there without anyone's fault.
"""


@dataclass(frozen=True)
class Problem:
    """Something that was sent and that Langfuse would not keep."""

    kind: ProblemKind
    reason: str
    observation_id: str | None = None
    trace_id: str | None = None
    name: str | None = None
    project: str = ""

    def __str__(self) -> str:
        where = f" ({self.name or '?'} {self.observation_id})" if self.observation_id else ""
        return f"{self.kind}: {self.reason}{where}"
