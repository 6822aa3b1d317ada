"""What arrived of some calls, and what should have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tracesplice_view._run import tells, tokens
from tracesplice_view._walk import ancestors

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from typing import TypeGuard

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

    @cached_property
    def client(self) -> list[Observation]:
        """The application's own observations."""
        return [each for each in self.by_id.values() if each.id in self.own]

    @cached_property
    def client_calls(self) -> list[Observation]:
        """What the client's tracer made of the calls themselves."""
        return [each for each in self.client if tells(each)]

    @cached_property
    def client_generations(self) -> list[Observation]:
        """Those that can be linked to a prompt."""
        return [each for each in self.client if each.type == "GENERATION"]

    @cached_property
    def leaf_calls(self) -> list[Observation]:
        """Those of the client's calls that have none of them inside."""
        around: set[str] = set()
        for each in self.client_calls:
            for above in self.above(each):
                if above.id in around:
                    break
                around.add(above.id)
        return [each for each in self.client_calls if each.id not in around]

    @cached_property
    def alone(self) -> list[Observation]:
        """The gateway's generations under nothing of the application's."""
        return [each for each in self.gateway if self.owner(each) is None]

    @property
    def found_traces(self) -> int:
        """How many traces the calls are in."""
        return len({each.trace_id for each in (*self.client, *self.gateway)})

    @property
    def excess(self) -> tuple[int, float]:
        """Tokens and dollars that Langfuse adds up beyond what the gateway's generations say."""
        theirs = {each.id for each in self.gateway}
        others = [each for each in self.by_id.values() if each.id not in theirs] if theirs else []
        return sum(map(tokens, others)), sum(each.cost for each in others)

    def is_client_generation(self, observation: Observation | None) -> TypeGuard[Observation]:
        """Whether it is one of those that can be linked to a prompt."""
        return (
            observation is not None
            and observation.id in self.own
            and observation.type == "GENERATION"
        )

    def above(self, observation: Observation) -> Iterator[Observation]:
        """The observations around one, nearest first."""
        return ancestors(self.by_id, observation)

    def owner(self, generation: Observation) -> Observation | None:
        """The application's observation above one of the gateway's."""
        # LITELLM_OTEL_V2 puts the gateway's own server spans in between.
        return next((each for each in self.above(generation) if each.id in self.own), None)

    def is_outside(self, observation: Observation) -> bool:
        """Whether an observation is not in the enclosing one, as far as that can be seen."""
        way = [observation, *self.above(observation)]
        last = way[-1].parent_id
        if self.enclosing in (None, last, *(each.id for each in way)):
            return False
        # OpenInference ends some spans late.
        return last not in self.own
