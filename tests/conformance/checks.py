"""Judges what Langfuse was told of a cell.

(a) One trace, (b) right parent, (c) prompt on both sides, (d) user, session and tags on the gateway
generation, (g) usage and cost of all traces are what the gateway's generations say, (h) Langfuse
prices nothing itself, (i) gateway generation and trace are in the application's environment, (j)
the gateway reports its generations and nothing else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.harness import Cell, Stage
    from rig.recorder import Observation

__all__ = ["ATTRIBUTES", "ENVIRONMENT", "Seen", "judge"]

ATTRIBUTES: dict[str, Any] = {
    "user_id": "user-1",
    "session_id": "session-1",
    "tags": ["tag-1"],
    "trace_name": "trace-1",
    "version": "version-1",
    "metadata": {"key": "value-1"},
}
ENVIRONMENT = "conformance"
_ASKED = re.compile(r"(?:(?:echo|tool): )*(?:question|fact)-\d+")


@dataclass(frozen=True)
class Seen:
    """What arrived of a cell."""

    stage: Stage
    cell: Cell
    enclosing: str | None
    gateway: list[Observation]
    by_id: dict[str, Observation]

    @property
    def client(self) -> list[Observation]:
        """The application's own observations."""
        return [each for each in self.by_id.values() if each.id in self.stage.client_spans.of_cell]

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
        while parent is not None and parent not in self.stage.client_spans.ids:
            parent = self.by_id[parent].parent_id if parent in self.by_id else None
        return None if parent is None else self.by_id.get(parent)

    def is_outside(self, observation: Observation) -> bool:
        """Whether an observation is not in the enclosing one, as far as that can be seen."""
        above: str | None = observation.id
        while above in self.by_id and above != self.enclosing:
            above = self.by_id[above].parent_id
        # OpenInference ends some spans late.
        return self.enclosing not in (None, above) and above not in self.stage.client_spans.of_cell


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
    client = {observation.trace_id for observation in seen.client}
    found = len(client | {observation.trace_id for observation in seen.gateway})
    # Where the application opens no trace, each observation or request makes its own.
    wanted = seen.cell.shape.generations
    if seen.cell.is_observed:
        wanted = seen.cell.shape.traces or len(client)
    if seen.enclosing is not None:
        wanted = 1
    return None if found == wanted else f"{found} traces, not {wanted}"


def _parents(seen: Seen) -> str | None:
    owners = [seen.owner(generation) for generation in seen.gateway]
    found = [owner and owner.id for owner in owners]
    if not seen.cell.is_observed:
        wrong = [owner for owner in found if owner != seen.enclosing]
        return f"under {wrong}, not {seen.enclosing}" if wrong else None
    made = {each.id for each in seen.client_calls}
    wanted = seen.cell.shape.observations
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
    return _swapped(seen)


def _swapped(seen: Seen) -> str | None:
    """Whether a call is under another one's observation, or could be without being seen."""
    under: defaultdict[str, list[Observation]] = defaultdict(list)
    for generation in seen.gateway:
        # LITELLM_OTEL_V2 does not report what was asked.
        if generation.input:
            under[getattr(seen.owner(generation), "id", "")].append(generation)
    calls = set()
    for owner, attempts in ((seen.by_id[id_], attempts) for id_, attempts in under.items()):
        call = _asked(owner), owner.level == "ERROR"
        found = {_asked(each) for each in attempts}
        failed = all(each.level == "ERROR" for each in attempts)
        if found != {call[0]} or (failed and not call[1]):
            return f"{[each.line() for each in attempts]}, {found}, under {owner.line()}, {call}"
        if not call[0] or call in calls:
            return f"no swap of {call} would be seen"
        calls.add(call)
    return None


def _asked(observation: Observation) -> frozenset[str]:
    return frozenset(_ASKED.findall(str(observation.input)))


def _prompts(seen: Seen) -> str | None:
    prompts = seen.stage.prompts
    named = {(prompts[name].name, prompts[name].version) for name in seen.cell.prompts}
    wanted = named or {(None, None)}
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
    wanted = seen.cell.attributes
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
    traces = {each.id: each for each in seen.stage.recorder.traces()}
    found |= {trace: traces[trace].environment for trace in own}
    wrong = {name: environment for name, environment in found.items() if environment != ENVIRONMENT}
    return f"in other environments: {wrong}" if wrong else None


def _noise(seen: Seen) -> str | None:
    ours = {each.id for each in (*seen.client, *seen.gateway)}
    found = [each.line() for each in seen.by_id.values() if each.id not in ours]
    return f"in Langfuse, too: {found}" if found else None
