"""What arrived of some calls, and what should have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tracesplice_view._model import Observation, Trace

__all__ = ["Expected", "Seen", "Who"]

Who = tuple[str | None, str | None, tuple[str, ...]]
"""User, session and tags."""


@dataclass(frozen=True)
class Expected:
    """What calls should come to; of what is None, the application's own observations decide.

    Attributes:
        observations: How many of the client tracer's generations stand for them; 0 where it does
            not trace them, so that they belong to the enclosing span.
        traces: How many traces.
        prompts: Name and version of those linked, all of them; none if empty.
        who: What is to be on each of the gateway's generations; it may have further tags.
        environment: Where all of it is to be.
        costs: Whether the gateway knows what each of the models costs.
    """

    observations: int | None = None
    traces: int = 1
    prompts: Collection[tuple[str, int]] | None = None
    who: Who | None = None
    environment: str | None = None
    costs: bool = False


@dataclass(frozen=True)
class Seen:
    """What arrived of some calls.

    Attributes:
        expected: What should have.
        by_id: All observations, by their ids.
        own: The ids of those that the application made itself.
        gateway: The gateway's generations.
        traces: All traces, by their ids.
        enclosing: The id of the application's span around the calls.
    """

    expected: Expected
    by_id: dict[str, Observation]
    own: Collection[str]
    gateway: list[Observation]
    traces: Mapping[str, Trace]
    enclosing: str | None = None

    @property
    def client(self) -> list[Observation]:
        """The application's own observations."""
        return [each for each in self.by_id.values() if each.id in self.own]

    @property
    def client_calls(self) -> list[Observation]:
        """What the client's tracer made of the calls themselves."""
        return [each for each in self.client if each.type in ("GENERATION", "EMBEDDING")]

    @property
    def client_generations(self) -> list[Observation]:
        """Those that can be linked to a prompt."""
        return [each for each in self.client if each.type == "GENERATION"]

    @property
    def leaf_calls(self) -> list[Observation]:
        """Those of the client's calls that have none of them inside."""
        around = {above.id for each in self.client_calls for above in self.above(each)}
        return [each for each in self.client_calls if each.id not in around]

    def above(self, observation: Observation) -> Iterator[Observation]:
        """The observations around one, nearest first."""
        above = self.by_id.get(observation.parent_id or "")
        while above is not None:
            yield above
            above = self.by_id.get(above.parent_id or "")

    def owner(self, generation: Observation) -> Observation | None:
        """The application's observation above one of the gateway's."""
        # LITELLM_OTEL_V2 puts the gateway's own server spans in between.
        parent = generation.parent_id
        while parent is not None and parent not in self.own:
            parent = self.by_id[parent].parent_id if parent in self.by_id else None
        return None if parent is None else self.by_id.get(parent)

    def is_outside(self, observation: Observation) -> bool:
        """Whether an observation is not in the enclosing one, as far as that can be seen."""
        above: str | None = observation.id
        while above in self.by_id and above != self.enclosing:
            above = self.by_id[above].parent_id
        # OpenInference ends some spans late.
        return self.enclosing not in (None, above) and above not in self.own
