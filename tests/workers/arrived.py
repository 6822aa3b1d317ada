"""What arrived of work that was spread: each call under its task, once, as the gateway has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tracesplice_view import is_of_gateway

if TYPE_CHECKING:
    from tracesplice_testing.recorder import Observation, Recorder, Trace

__all__ = ["answered", "check", "check_batch", "of_gateway", "reported", "seen", "task_of"]


def of_gateway(trace: Trace | None) -> list[Observation]:
    """The gateway's generations."""
    return [each for each in (trace.observations if trace else ()) if is_of_gateway(each)]


def task_of(trace: Trace, generation: Observation) -> Observation | None:
    """The task's span, if the application's generation is between."""
    by_id = {each.id: each for each in trace.observations}
    own = by_id.get(str(generation.parent_id))
    return by_id.get(str(own.parent_id)) if own else None


def check(trace: Trace, user: str, handed_on: int) -> None:
    """See that each generation is under its task, and the task where it was handed out."""
    names = {each.id: each.name for each in trace.observations}
    who = (user, f"session of {user}", (f"tag of {user}",), "spread", 1)
    found = []
    for each in of_gateway(trace):
        task = task_of(trace, each)
        assert task is not None, trace.tree()
        assert (task.name, str(task.input) in str(each.input)) == ("task", True), trace.tree()
        said = (each.user_id, each.session_id, each.tags, each.prompt_name, each.prompt_version)
        assert said == who, each.line()
        found.append(names[str(task.parent_id)])
    assert sorted(found) == ["hand on"] * handed_on + ["request"] * (len(found) - handed_on)


def check_batch(trace: Trace, user: str, calls: int, kills: int) -> None:
    """See that nothing is missing or counted twice, whatever of it was killed and tried again."""
    gateway = of_gateway(trace)
    # A task that was killed is asked again, and what it observed itself may be lost.
    lost = [each for each in gateway if task_of(trace, each) is None]
    assert len(lost) <= kills
    assert len(gateway) <= calls + kills
    total = sum(each.usage.get("total", 0) for each in trace.observations)
    assert total == sum(each.usage["total"] for each in gateway)
    assert sum(each.cost for each in trace.observations) == pytest.approx(
        sum(each.cost for each in gateway)
    )
    for each in gateway:
        assert (each.user_id, each.session_id) == (user, f"session of {user}")
        assert (each.prompt_name, each.prompt_version) == ("spread", 1)


def reported(recorder: Recorder, count: int) -> bool:
    """Whether that many calls are reported, in whatever traces."""
    return sum(len(of_gateway(trace)) for trace in recorder.traces()) >= count


def answered(trace: Trace | None) -> set[str]:
    """The questions of tasks whose span arrived, with the gateway's generation under it."""
    found = [task_of(trace, each) for each in of_gateway(trace)] if trace else []
    return {str(each.input) for each in found if each is not None}


def seen(recorder: Recorder) -> str:
    """All that arrived, for a failure."""
    return "\n".join(trace.tree() for trace in recorder.traces())
