"""Judges what Langfuse was told of some calls.

(a) One trace, (b) right parent, (c) prompt on both sides, (d) user, session and tags on the gateway
generation, (g) usage and cost of all traces are what the gateway's generations say, (h) Langfuse
prices nothing itself, (i) gateway generation and trace are in the application's environment, (j)
the gateway reports its generations and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from tracesplice_testing.recorder import Observation, Trace

__all__ = ["Expected", "Seen", "judge"]

Who = tuple[str | None, str | None, tuple[str, ...]]
"""User, session and tags."""


@dataclass(frozen=True)
class Expected:
    """What calls should come to.

    Attributes:
        observations: How many of the client tracer's generations stand for them; 0 where it does
            not trace them, so that they belong to the enclosing span.
        traces: How many traces.
        prompts: Name and version of those linked, all of them; none if empty.
        who: What is to be on each of the gateway's generations; it may have further tags.
        environment: Where all of it is to be.
    """

    observations: int
    traces: int
    prompts: Collection[tuple[str, int]]
    who: Who
    environment: str


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


def judge(seen: Seen) -> dict[str, str | None]:
    """Return for each check None, or what is wrong."""
    return {
        "a": _traces(seen),
        "b": _parents(seen),
        "c": _prompts(seen),
        "d": _attributes(seen),
        "g": _counted(seen),
        "h": _priced(seen),
        "i": _environment(seen),
        "j": _noise(seen),
    }


def _traces(seen: Seen) -> str | None:
    found = len({each.trace_id for each in (*seen.client, *seen.gateway)})
    wanted = seen.expected.traces
    return None if found == wanted else f"{found} traces, not {wanted}"


def _parents(seen: Seen) -> str | None:
    owners = [seen.owner(generation) for generation in seen.gateway]
    found = [owner and owner.id for owner in owners]
    wanted = seen.expected.observations
    if not wanted:
        wrong = [owner for owner in found if owner != seen.enclosing]
        return f"under {wrong}, not {seen.enclosing}" if wrong else None
    made = {each.id for each in seen.client_calls}
    if len(made) < wanted:
        return f"{len(made)} calls on the client's side, not {wanted}"
    if not set(found) <= made or len(set(found)) != wanted:
        return f"under {found}, not {wanted} of {sorted(made)}"
    outside = [each.line() for each in owners if each and seen.is_outside(each)]
    if outside:
        return f"{outside} not in {seen.enclosing}"
    inner = {each.parent_id for each in seen.client_generations if each.id not in found}
    if inner & set(found):
        return f"under {inner & set(found)}, with the call's own observation in it"
    return None


def _prompts(seen: Seen) -> str | None:
    wanted: set[tuple[str | None, int | None]] = {*seen.expected.prompts} or {(None, None)}
    for side, observations in (
        ("client", seen.client_generations),
        ("gateway", seen.gateway),
    ):
        found = {(each.prompt_name, each.prompt_version) for each in observations}
        if found - wanted or (observations and wanted - found):
            return f"the {side}'s prompts are {sorted(map(str, found))}, not {sorted(wanted)}"
    for generation in seen.gateway:
        owner = seen.owner(generation)
        if owner in seen.client_generations and owner.prompt_name != generation.prompt_name:
            return f"the gateway's {generation.prompt_name} is under {owner.prompt_name}"
    return None


def _attributes(seen: Seen) -> str | None:
    wanted = seen.expected.who
    for generation in seen.gateway:
        found = (generation.user_id, generation.session_id, generation.tags)
        if found[:2] != wanted[:2] or not set(wanted[2]) <= set(found[2]):
            return f"{found} is not {wanted}"
    return None


def _counted(seen: Seen) -> str | None:
    found, wanted = _figures(seen.by_id.values()), _figures(seen.gateway)
    if found != wanted:
        gateway = _figures(each for each in seen.by_id.values() if each not in seen.client)
        side = "the client" if gateway == wanted else "the gateway"
        return f"{side} counts more than once: {found} is not {wanted}"
    # Where the client says zero, somebody else must say what it was.
    free = [each.name for each in seen.gateway if each.level != "ERROR" and not each.cost]
    return f"the gateway counts nothing for {free}" if free and seen.client_calls else None


def _figures(observations: Iterable[Observation]) -> tuple[int, float]:
    """Tokens and dollars, as Langfuse adds them up."""
    both = [(each.usage.get("total", 0), each.cost) for each in observations]
    return sum(tokens for tokens, _ in both), round(sum(cost for _, cost in both), 12)


def _priced(seen: Seen) -> str | None:
    found = [each.line() for each in seen.by_id.values() if each.priced or each.estimated]
    return f"Langfuse has figures of its own for {found}" if found else None


def _environment(seen: Seen) -> str | None:
    """In a trace of the application's, whose environment is what was ingested last says."""
    own = {each.trace_id for each in seen.client}
    found = {each.name: each.environment for each in seen.gateway if each.trace_id in own}
    found |= {trace: seen.traces[trace].environment for trace in own}
    other = {name: each for name, each in found.items() if each != seen.expected.environment}
    return f"in other environments: {other}" if other else None


def _noise(seen: Seen) -> str | None:
    ours = {each.id for each in (*seen.client, *seen.gateway)}
    found = [each.line() for each in seen.by_id.values() if each.id not in ours]
    return f"in Langfuse, too: {found}" if found else None
