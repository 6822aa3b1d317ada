"""Judges what Langfuse was told of some calls.

(a) One trace, (b) right parent, (c) prompt on both sides, (d) user, session and tags on the gateway
generation, (g) usage and cost of all traces are what the gateway's generations say, (h) Langfuse
prices nothing itself, (i) gateway generation and trace are in the application's environment, (j)
the gateway reports its generations and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice_view._model import parsed
from tracesplice_view._run import dollars
from tracesplice_view._seen import Expected, Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracesplice_view._model import Observation
    from tracesplice_view._seen import Who

__all__ = ["Expected", "Seen", "judge"]


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
    found, wanted = seen.found_traces, seen.expected.traces
    return None if found == wanted else f"{found} traces, not {wanted}"


def _parents(seen: Seen) -> str | None:
    wanted = seen.expected.observations
    if wanted is None:
        return _parents_as_traced(seen)
    owners = [seen.owner(generation) for generation in seen.gateway]
    found = [owner and owner.id for owner in owners]
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


def _parents_as_traced(seen: Seen) -> str | None:
    if seen.alone:
        alone = _several(each.name for each in seen.alone)
        return f"{alone} of the gateway under nothing of the application's"
    owners = [owner for owner in map(seen.owner, seen.gateway) if owner]
    found = {owner.id for owner in owners}
    # A call that failed may have reached nobody.
    missed = [each for each in seen.leaf_calls if each.id not in found and each.level != "ERROR"]
    if not missed:
        return None
    leaves = {each.id for each in seen.leaf_calls}
    others = [owner.name for owner in owners if owner.id not in leaves]
    instead = f"; it is under {_several(others)}" if others else ""
    return f"nothing of the gateway under {_several(each.name for each in missed)}{instead}"


def _several(names: Iterable[str]) -> str:
    return ", ".join(f"{name!r}" for name in dict.fromkeys(names))


def _prompts(seen: Seen) -> str | None:
    if seen.expected.prompts is None:
        return _prompts_as_traced(seen)
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
        if seen.is_client_generation(owner) and owner.prompt_name != generation.prompt_name:
            return f"the gateway's {generation.prompt_name} is under {owner.prompt_name}"
    return None


def _prompts_as_traced(seen: Seen) -> str | None:
    for generation in seen.gateway:
        generations = [each for each in seen.above(generation) if seen.is_client_generation(each)]
        own = next((each for each in generations if each.prompt_name), None)
        if generations and _prompt(own) != _prompt(generation):
            return (
                f"{generation.name!r} of the gateway has {_prompt(generation)}, "
                f"{(own or generations[0]).name!r} of the application has {_prompt(own)}"
            )
    return _prompt_left_behind(seen)


def _prompt_left_behind(seen: Seen) -> str | None:
    """What a call has that is under nothing of the application's, and what was left without one."""
    found = {owner.id for owner in map(seen.owner, seen.gateway) if owner}
    linked = [each for each in seen.client_generations if each.prompt_name and each.id not in found]
    for generation in seen.alone:
        if linked and not generation.prompt_name:
            own = linked[0]
            return (
                f"{generation.name!r} of the gateway has no prompt, "
                f"{own.name!r} of the application has {_prompt(own)}"
            )
    return None


def _prompt(observation: Observation | None) -> str:
    if observation is None or not observation.prompt_name:
        return "no prompt"
    return f"prompt {observation.prompt_name!r} version {observation.prompt_version}"


def _attributes(seen: Seen) -> str | None:
    for generation in seen.gateway:
        wanted = seen.expected.who or _who(seen.owner(generation))
        if wanted is None:
            continue
        found = (generation.user_id, generation.session_id, generation.tags)
        lacking = [*_differ(("user", "session"), found, wanted), *_untagged(found[2], wanted[2])]
        if lacking:
            return f"{generation.name!r} of the gateway has {', '.join(lacking)}"
    return None


def _differ(names: Iterable[str], found: Who, wanted: Who) -> Iterator[str]:
    for name, mine, theirs in zip(names, found, wanted, strict=False):
        if mine != theirs:
            is_, not_ = (repr(each) if each else "none" for each in (mine, theirs))
            yield f"{name} {is_}, not {not_}"


def _untagged(found: Iterable[str], wanted: Iterable[str]) -> Iterator[str]:
    missing = sorted({*wanted} - {*found})
    if missing:
        yield f"no tag {' or '.join(map(repr, missing))}"


def _who(observation: Observation | None) -> Who | None:
    if observation is None:
        return None
    return _plain(observation.user_id), _plain(observation.session_id), observation.tags


def _plain(text: str | None) -> str | None:
    # `langfuse.openai` writes what is in its `metadata=` as JSON.
    return str(parsed(text)) if text and text[0] == text[-1] == '"' else text


def _counted(seen: Seen) -> str | None:
    found, wanted = _figures(seen.by_id.values()), _figures(seen.gateway)
    if found != wanted:
        gateway = _figures(each for each in seen.by_id.values() if each.id not in seen.own)
        side = "the client" if gateway == wanted else "the gateway"
        return f"{side} counts more than once: {_shown(found)}, not {_shown(wanted)}"
    free = [
        each.name
        for each in seen.gateway
        if each.level != "ERROR"
        and not (each.cost or (each.usage and not seen.expected.costs))
        and _told_by_client(seen, each)
    ]
    return f"the gateway counts nothing for {free}" if free else None


def _told_by_client(seen: Seen, generation: Observation) -> bool:
    """Whether the client says zero for a call, so that somebody else must say what it was.

    A moderation, say, is free, and most tracers make nothing of it.
    """
    calls = {each.id for each in seen.client_calls}
    way = {each.id for each in seen.above(generation)}
    return bool(way & calls) or (seen.owner(generation) is None and bool(calls))


def _figures(observations: Iterable[Observation]) -> tuple[int, float]:
    """Tokens and dollars, as Langfuse adds them up."""
    both = [(each.usage.get("total", 0), each.cost) for each in observations]
    return sum(tokens for tokens, _ in both), round(sum(cost for _, cost in both), 12)


def _shown(figures: tuple[int, float]) -> str:
    return f"{figures[0]} tokens and {dollars(figures[1])}"


def _priced(seen: Seen) -> str | None:
    found = [each.line() for each in seen.by_id.values() if each.priced or each.estimated]
    return f"Langfuse has figures of its own for {found}" if found else None


def _environment(seen: Seen) -> str | None:
    """In a trace of the application's, whose environment is what was ingested last says."""
    own = {each.trace_id: each.environment for each in seen.client}
    found = {repr(each.name): each.environment for each in seen.gateway if each.trace_id in own}
    found |= {
        f"the trace {trace}": seen.traces[trace].environment
        for trace in own
        if trace in seen.traces
    }
    wanted = {seen.expected.environment} if seen.expected.environment else {*own.values()}
    other = [f"{name} in {each!r}" for name, each in found.items() if each not in wanted]
    where = " or ".join(map(repr, sorted(wanted)))
    return f"in other environments: {', '.join(other)}, not in {where}" if other else None


def _noise(seen: Seen) -> str | None:
    ours = {each.id for each in (*seen.client, *seen.gateway)}
    found = _several(each.name for each in seen.by_id.values() if each.id not in ours)
    return f"in Langfuse, too: {found}" if found else None
