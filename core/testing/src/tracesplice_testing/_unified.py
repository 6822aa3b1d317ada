"""`assert_unified`: the judge, for what an application's own tests recorded."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from rich.console import Console

from tracesplice_testing._advice import advice
from tracesplice_testing._judge import Expected, Seen, judge
from tracesplice_testing._run import Run
from tracesplice_testing._stand_in import SCOPE
from tracesplice_testing._tree import trees
from tracesplice_testing.recorder import Observation, Recorder, RecorderTimeout, Trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Judged", "assert_unified", "is_of_gateway"]

TITLES = {
    "a": "one trace",
    "b": "right parent",
    "c": "prompt on both sides",
    "d": "user, session and tags on the gateway generation",
    "g": "counted once",
    "h": "nothing priced by Langfuse itself",
    "i": "in the application's environment",
    "j": "nothing else of the gateway's",
}
_GATEWAY = "litellm"
_GATEWAY_METADATA = ("litellm_call_id", "user_api_key_hash", "litellm_response_cost")
_WIDTH = 100
_AT_ONCE = 1.0  # seconds


def assert_unified(
    found: Recorder | Trace | Sequence[Trace],
    *,
    traces: int = 1,
    prompt: Any = None,
    timeout: float = 5.0,
) -> None:
    """Fail unless each call is one trace, nested right, linked to its prompt, and counted once.

    Args:
        found: What to judge: everything a recorder has, as soon as it is complete, or traces.
        traces: How many traces the application opens; each call has to be in one of them.
        prompt: The Langfuse prompt that every call is to be linked to. Without it both sides have
            to say the same.
        timeout: How long to wait for what a gateway still has to report, in seconds.

    Raises:
        AssertionError: What does not hold, what to type, and the traces as trees.
    """
    __tracebackhide__ = True
    if isinstance(found, Recorder):
        text = _of_recorder(found, traces, prompt, timeout)
    else:
        given = [found] if isinstance(found, Trace) else list(found)
        text = Judged(given, traces, prompt).text()
    if text:
        raise AssertionError(text)


def is_of_gateway(observation: Observation) -> bool:
    """Whether a LiteLLM gateway reported it, in whichever of its three modes."""
    # LiteLLM names itself, except in mode `langfuse`, where it uses Langfuse's SDK.
    return _GATEWAY in (observation.scope, observation.service) or any(
        key in observation.metadata for key in _GATEWAY_METADATA
    )


def _of_recorder(recorder: Recorder, traces: int, prompt: Any, timeout: float) -> str:
    force_flush = getattr(trace.get_tracer_provider(), "force_flush", None)
    if force_flush is not None:
        force_flush()

    def is_whole(now: Recorder) -> bool:
        return not Judged(now.traces(), traces, prompt).wrong

    try:
        recorder.wait_for(is_whole, _patience(recorder, timeout))
    except RecorderTimeout:
        problems = [f"Langfuse drops: {each}" for each in recorder.problems()]
        return "\n".join([Judged(recorder.traces(), traces, prompt).text(), *problems])
    return ""


def _patience(recorder: Recorder, timeout: float) -> float:
    # A stand-in has reported by the time it answers.
    scopes = {each.scope for each in recorder.observations() if is_of_gateway(each)}
    return min(timeout, _AT_ONCE) if scopes == {SCOPE} else timeout


@dataclass(frozen=True)
class Judged:
    """Some traces, and what is wrong with them; as `assert_unified` is told."""

    traces: Sequence[Trace]
    wanted: int = 1
    prompt: Any = None

    @property
    def seen(self) -> Seen:
        """What the judge looks at."""
        by_id = {each.id: each for trace in self.traces for each in trace.observations}
        gateway = [each for each in by_id.values() if is_of_gateway(each)]
        return Seen(
            Expected(traces=self.wanted),
            by_id,
            by_id.keys() - {each.id for each in gateway},
            [each for each in gateway if each.type in ("GENERATION", "EMBEDDING")],
            {each.id: each for each in self.traces},
        )

    @property
    def wrong(self) -> dict[str, str]:
        """What does not hold, by the judge's letters."""
        seen = self.seen
        if not seen.client:
            return {"a": "nothing of the application's arrived"}
        if not seen.gateway:
            return {"a": "nothing of a gateway's arrived"}
        checks = judge(seen)
        checks["c"] = checks["c"] or _other_prompt(self.prompt, seen.gateway)
        return {letter: text for letter, text in checks.items() if text is not None}

    def text(self) -> str:
        """What does not hold, what to type, and the trees; empty if all holds."""
        wrong = self.wrong
        if not wrong:
            return ""
        lines = ["not unified: " + ", ".join(TITLES[letter] for letter in wrong), ""]
        for letter, text in wrong.items():
            lines.append(f"({letter}) {TITLES[letter]}: {text}")
        lines += ["", "What to type:", *advice(wrong, self.seen), "", *self._drawn()]
        return "\n".join(lines)

    def _drawn(self) -> Iterable[str]:
        run = Run(tuple(self.traces), frozenset(self.seen.own))
        console = Console(file=io.StringIO(), width=_WIDTH, _environ={})
        with console.capture() as captured:
            for tree in trees(run):
                console.print(tree)
        return (line.rstrip() for line in captured.get().splitlines())


def _other_prompt(prompt: Any, gateway: Iterable[Observation]) -> str | None:
    if prompt is None:
        return None
    wanted = (prompt.name, prompt.version)
    others = [each.name for each in gateway if (each.prompt_name, each.prompt_version) != wanted]
    if not others:
        return None
    return f"{json.dumps(others)} of the gateway not linked to {wanted[0]!r} version {wanted[1]}"
