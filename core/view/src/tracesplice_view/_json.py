"""Judged traces as JSON, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracesplice_view._judged import TITLES

if TYPE_CHECKING:
    from tracesplice_view._call import Call
    from tracesplice_view._judged import Judged
    from tracesplice_view._model import Trace
    from tracesplice_view._run import Run
    from tracesplice_view._walk import Placed

__all__ = ["as_json"]


def as_json(judged: Judged) -> dict[str, Any]:
    """The checks, the calls, what to type, and the traces, as `json.dumps` takes them.

    Of a check that cannot be known, `holds` is None. A call names the observations that tell of it.
    Observations are in the order they are drawn in, with their depth, 0 at the top; costs in USD,
    times in ISO 8601. Inputs, outputs and metadata are left out.
    """
    tokens, cost = judged.figures
    return {
        "unified": not judged.wrong,
        "checks": [_check(judged, letter) for letter in TITLES],
        "calls": [_call(each) for each in judged.calls],
        "what_to_type": judged.advice,
        "tokens": tokens,
        "cost": cost,
        "times_counted": judged.times_counted,
        "counted_too_much": dict(zip(("tokens", "cost"), judged.excess, strict=True)),
        "traces": [_trace(judged.run, trace) for trace in judged.traces],
    }


def _check(judged: Judged, letter: str) -> dict[str, Any]:
    """`holds` is null where that cannot be said."""
    holds = None if letter in judged.unsaid else letter in judged.holds
    return {"title": TITLES[letter], "holds": holds, "why": judged.wrong.get(letter)}


def _call(call: Call) -> dict[str, Any]:
    return {
        "app": call.own and call.own.id,
        "gateway": [each.id for each in call.gateway],
        "matched_by": call.shared,
        "wrong": {TITLES[letter]: text for letter, text in call.wrong.items()},
    }


def _trace(run: Run, trace: Trace) -> dict[str, Any]:
    return {
        "id": trace.id,
        "name": trace.name,
        "user_id": trace.user_id,
        "session_id": trace.session_id,
        "tags": list(trace.tags),
        "environment": trace.environment,
        "usage": trace.usage,
        "cost": trace.cost,
        "observations": [_observation(run, each) for each in trace.walked],
    }


def _observation(run: Run, placed: Placed) -> dict[str, Any]:
    observation = placed.observation
    return {
        "id": observation.id,
        "parent_id": observation.parent_id,
        "depth": placed.depth,
        "broken": placed.note,
        "side": "app" if run.of_app(observation) else "gateway",
        "name": observation.name,
        "type": observation.type,
        "start": observation.start.isoformat(),
        "end": observation.end.isoformat() if observation.end else None,
        "level": observation.level,
        "status_message": observation.status_message,
        "model": observation.model,
        "prompt_name": observation.prompt_name,
        "prompt_version": observation.prompt_version,
        "usage": observation.usage,
        "cost": observation.cost,
        "user_id": observation.user_id,
        "session_id": observation.session_id,
        "tags": list(observation.tags),
        "environment": observation.environment,
    }
