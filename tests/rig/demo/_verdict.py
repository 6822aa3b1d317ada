"""What to say of a run: one trace or several, the gateway's parent, the prompt on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rig.demo._run import tokens
from rig.gateway import GatewayMode

if TYPE_CHECKING:
    from rig.demo._run import Run

__all__ = ["Finding", "Verdict", "judge"]

State = Literal["good", "bad", "open"]


@dataclass(frozen=True)
class Finding:
    """One thing found; "open" is what cannot be had in this mode yet."""

    state: State
    text: str


@dataclass(frozen=True)
class Verdict:
    """All there is to say of a run; `tokens` and `cost` (USD) as Langfuse adds them up."""

    traces: Finding
    parent: Finding
    prompt: Finding
    tokens: int
    cost: float
    times_counted: int

    @property
    def unified(self) -> bool:
        """Whether nothing is bad."""
        return all(found.state != "bad" for found in (self.traces, self.parent, self.prompt))


def judge(run: Run, mode: GatewayMode | None) -> Verdict:
    """Judge a run of a gateway that reports in `mode`; None if that is not known."""
    claimed = sum(map(tokens, run.observations))
    used = max((sum(map(tokens, run.generations(app=side))) for side in (True, False)), default=0)
    return Verdict(
        _traces(run),
        _parent(run),
        _prompt(run, mode),
        claimed,
        sum(trace.cost for trace in run.traces),
        round(claimed / used) if used else 0,
    )


def _traces(run: Run) -> Finding:
    count = len(run.traces)
    return Finding("good" if count == 1 else "bad", f"{count} trace{'' if count == 1 else 's'}")


def _parent(run: Run) -> Finding:
    app = {o.id for o in run.generations(app=True)}
    theirs = run.generations(app=False)
    nested = [
        next((above.id for above in run.ancestors(o) if run.of_app(above)), None) in app
        for o in theirs
    ]
    if theirs and all(nested):
        return Finding("good", "gateway generation under the app's")
    return Finding("bad", "gateway generation not under the app's")


def _prompt(run: Run, mode: GatewayMode | None) -> Finding:
    app = {(o.prompt_name, o.prompt_version) for o in run.generations(app=True)}
    gateway = {(o.prompt_name, o.prompt_version) for o in run.generations(app=False)}
    if app == gateway and len(app) == 1 and (None, None) not in app:
        return Finding("good", "prompt version on both sides")
    if gateway != {(None, None)}:
        return Finding("bad", "another prompt on the gateway's side")
    if (None, None) in app:
        return Finding("bad", "no prompt on the app's side")
    split = len(run.traces) > 1
    if split or mode in (None, GatewayMode.LANGFUSE):
        return Finding("bad", "prompt version on the app's side only")
    return Finding(
        "open",
        f"no prompt on the gateway's side: not available in mode {mode.value} "
        "without the gateway adapter",
    )
