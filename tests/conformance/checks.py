"""What a cell should come to, and what is judged beside what holds for any call.

The letters are those of ``tracesplice_testing``; each call asks a question of its own, so that no
two can be swapped unseen.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tracesplice_view import Expected, Seen, judge

if TYPE_CHECKING:
    from conformance.harness import Cell, Stage
    from tracesplice_testing.recorder import Observation

__all__ = ["ATTRIBUTES", "ENVIRONMENT", "judged"]

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


def judged(
    stage: Stage, cell: Cell, enclosing: str | None, gateway: list[Observation]
) -> dict[str, str | None]:
    """Return for each check None, or what is wrong with a cell."""
    by_id = {observation.id: observation for observation in stage.observations()}
    own = {*stage.client_spans.of_cell}
    client = {each.trace_id for each in by_id.values() if each.id in own}
    expected = _expected(stage, cell, enclosing, len(client))
    traces = {each.id: each for each in stage.recorder.traces()}
    seen = Seen(expected, by_id, own, gateway, traces, enclosing)
    checks = judge(seen)
    if cell.is_observed:
        checks["b"] = checks["b"] or _swapped(seen)
    return checks


def _expected(stage: Stage, cell: Cell, enclosing: str | None, client: int) -> Expected:
    # Where the application opens no trace, each observation or request makes its own.
    traces = cell.shape.generations
    if cell.is_observed:
        traces = cell.shape.traces or client
    prompts = [stage.prompts[name] for name in cell.prompts]
    return Expected(
        observations=cell.shape.observations if cell.is_observed else 0,
        traces=1 if enclosing is not None else traces,
        prompts={(each.name, each.version) for each in prompts},
        who=cell.attributes,
        environment=ENVIRONMENT,
        costs=True,
    )


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
