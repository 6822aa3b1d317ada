"""What to say of a run: one trace or several, the gateway's parent, the prompt on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tracesplice_testing.gateway import GatewayMode
from tracesplice_view import tokens

if TYPE_CHECKING:
    from tracesplice_view import Run

__all__ = ["Finding", "Verdict", "judge"]

State = Literal["good", "bad", "open"]


@dataclass(frozen=True)
class Finding:
    """One thing found; "open" is what this gateway cannot give."""

    state: State
    text: str


@dataclass(frozen=True)
class Verdict:
    """All there is to say of a run; `tokens` and `cost` (USD) as Langfuse adds them up.

    `times_counted` is how many times what the gateway says; 0 where it says nothing.
    """

    traces: Finding
    parent: Finding
    prompt: Finding
    tokens: int
    cost: float
    times_counted: float

    @property
    def unified(self) -> bool:
        """Whether nothing is bad."""
        return all(found.state != "bad" for found in (self.traces, self.parent, self.prompt))


def judge(run: Run, mode: GatewayMode | None, *, adapter: bool) -> Verdict:
    """Judge a run of a gateway that reports in `mode`, None if that is not known.

    `adapter` is whether the gateway has tracesplice's.
    """
    claimed = sum(map(tokens, run.observations))
    # On the application's side several observations may each claim a call, or guess at it.
    used = sum(map(tokens, run.generations(app=False)))
    return Verdict(
        _traces(run),
        _parent(run),
        _prompt(run, mode, adapter),
        claimed,
        sum(trace.cost for trace in run.traces),
        claimed / used if used else 0,
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


def _prompt(run: Run, mode: GatewayMode | None, adapter: bool) -> Finding:
    app = {(o.prompt_name, o.prompt_version) for o in run.generations(app=True)}
    gateway = {(o.prompt_name, o.prompt_version) for o in run.generations(app=False)}
    if app == gateway and len(app) == 1 and (None, None) not in app:
        return Finding("good", "prompt version on both sides")
    if gateway != {(None, None)}:
        return Finding("bad", "another prompt on the gateway's side")
    if (None, None) in app:
        return Finding("bad", "no prompt on the app's side")
    split = len(run.traces) > 1
    if split or adapter or mode in (None, GatewayMode.LANGFUSE):
        return Finding("bad", "prompt version on the app's side only")
    return Finding(
        "open",
        f"no prompt on the gateway's side: not available in mode {mode.value} "
        "without the gateway adapter",
    )
