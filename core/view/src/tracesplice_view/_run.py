"""What Langfuse shows of some calls, and which of it the application made itself."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING

from tracesplice_view._walk import ancestors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracesplice_view._model import Observation, Trace

__all__ = ["Run", "dollars", "tells", "tokens"]

_CALLS, _WEB_FRAMEWORK = ("GENERATION", "EMBEDDING"), "fastapi"
# Methods around a call that OpenInference's instrumentor of LlamaIndex shows as calls.
_NO_CALLS = (
    "._prepare_chat_with_tools",
    ".write_response_to_history",
    ".awrite_response_to_history",
)
_EPOCH = datetime(2000, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Run:
    """The traces of some calls; `app_ids` names what the application made itself."""

    traces: tuple[Trace, ...]
    app_ids: frozenset[str]

    @cached_property
    def observations(self) -> tuple[Observation, ...]:
        """Those of every trace."""
        return tuple(o for trace in self.traces for o in trace.observations)

    @cached_property
    def _by_id(self) -> dict[str, Observation]:
        return {each.id: each for each in self.observations}

    def of_app(self, observation: Observation) -> bool:
        """Whether the application made it, not the gateway."""
        return observation.id in self.app_ids

    def generations(self, *, app: bool) -> list[Observation]:
        """What tells of the call itself, on the application's or the gateway's side."""
        return [o for o in self.observations if self.of_app(o) is app and tells(o)]

    def ancestors(self, observation: Observation) -> Iterator[Observation]:
        """The observations above one, nearest first."""
        return ancestors(self._by_id, observation)

    def same_each_time(self, seed: str) -> Run:
        """A copy with ids made from `seed` and no times, so that its picture can be compared."""
        ids: dict[str, str] = {}

        def name(id_: str, length: int) -> str:
            counted = hashlib.sha256(f"{seed}{len(ids)}".encode()).hexdigest()
            return ids.setdefault(id_, counted[:length])

        def copy(o: Observation) -> Observation:
            parent = name(o.parent_id, 16) if o.parent_id else None
            own, trace = name(o.id, 16), name(o.trace_id, 32)
            return dataclasses.replace(
                o, id=own, trace_id=trace, parent_id=parent, start=_EPOCH, end=_EPOCH
            )

        traces = tuple(
            dataclasses.replace(
                trace, id=name(trace.id, 32), observations=tuple(map(copy, trace.observations))
            )
            for trace in self.traces
        )
        return Run(traces, frozenset(ids[id_] for id_ in self.app_ids if id_ in ids))


def tokens(observation: Observation) -> int:
    """All the tokens it claims."""
    return observation.usage.get("total", 0)


def dollars(amount: float) -> str:
    """An amount with all its digits, to be compared with another."""
    digits, _, fraction = f"{amount:.12f}".partition(".")
    return f"${digits}.{fraction}".rstrip("0").rstrip(".")


def tells(observation: Observation) -> bool:
    """Whether it tells of a call of a model."""
    # LITELLM_OTEL_V2 has Langfuse take a span of its web framework for a generation.
    if observation.type not in _CALLS or observation.name.endswith(_NO_CALLS):
        return False
    return observation.scope != _WEB_FRAMEWORK
