"""Judges traces as they were read back: what does not hold, what to type, and the trees."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rich.console import Console

from tracesplice_view._advice import advice
from tracesplice_view._calls import calls
from tracesplice_view._judge import Expected, Seen, judge
from tracesplice_view._printable import printable
from tracesplice_view._run import Run, tells, tokens
from tracesplice_view._tree import trees

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracesplice_view._call import Call
    from tracesplice_view._model import Observation, Trace

__all__ = ["Judged", "is_of_gateway"]

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
_OF_OWNER = ("c", "d", "i")  # they compare with the application's observation of the call
_GATEWAY, _LANGFUSE = "litellm", "langfuse-sdk"
_GATEWAY_METADATA = ("litellm_call_id", "user_api_key_hash", "litellm_response_cost")
_WIDTH = 100
_REASON = 4000  # characters


def is_of_gateway(observation: Observation) -> bool:
    """Whether a LiteLLM gateway reported it, in whichever of its three modes."""
    # LiteLLM names itself, except in mode `langfuse`, where it uses Langfuse's SDK. In an
    # application LiteLLM's SDK may have named the process, and so what Langfuse's SDK observes.
    names = (observation.scope, observation.service)
    return (_GATEWAY in names and observation.scope != _LANGFUSE) or any(
        key in observation.metadata for key in _GATEWAY_METADATA
    )


@dataclass(frozen=True)
class Judged:
    """Some traces, and what is wrong with them; as `assert_unified` is told.

    `read_back` says that they are from Langfuse's API, and of no test.
    """

    traces: Sequence[Trace]
    wanted: int = 1
    prompt: Any = None
    read_back: bool = False

    @cached_property
    def seen(self) -> Seen:
        """What the judge looks at."""
        by_id = {each.id: each for trace in self.traces for each in trace.observations}
        gateway = [each for each in by_id.values() if is_of_gateway(each)]
        return Seen(
            Expected(traces=self.wanted),
            by_id,
            by_id.keys() - {each.id for each in gateway},
            [each for each in gateway if tells(each)],
            {each.id: each for each in self.traces},
        )

    @cached_property
    def run(self) -> Run:
        """The traces as they are drawn."""
        return Run(tuple(self.traces), frozenset(self.seen.own))

    @cached_property
    def wrong(self) -> dict[str, str]:
        """What does not hold, by the judge's letters."""
        seen = self.seen
        if not seen.client:
            return {"a": "nothing of the application's arrived"}
        if not seen.gateway:
            return {"a": "nothing of a gateway's arrived"}
        checks = judge(seen)
        checks["c"] = checks["c"] or _other_prompt(self.prompt, seen.gateway)
        found = {letter: text for letter, text in checks.items() if text is not None}
        # What is not joined may differ in more; that shows where both sides are looked at.
        more = [call.wrong for call in self.calls] if found else []
        return {
            letter: found[letter] if letter in found else of_calls[0]
            for letter in TITLES
            if (of_calls := [each[letter] for each in more if letter in each]) or letter in found
        }

    @cached_property
    def calls(self) -> list[Call]:
        """Each call by itself."""
        return calls(self.seen)

    @property
    def holds(self) -> list[str]:
        """What holds, by the judge's letters."""
        return [letter for letter in TITLES if letter not in (*self.wrong, *self.unsaid)]

    @property
    def unsaid(self) -> list[str]:
        """What cannot be said of these traces; much as long as the rest does not hold."""
        if not self.seen.client or not self.seen.gateway:
            return [letter for letter in TITLES if letter not in self.wrong]
        of_owner = _OF_OWNER if any(call.own is None for call in self.calls) else ()
        # Langfuse's API does not say who priced it.
        priced = ("h",) if self.read_back else ()
        return [letter for letter in (*of_owner, *priced) if letter not in self.wrong]

    @property
    def advice(self) -> list[str]:
        """What to type, most fundamental first, a line or two each."""
        if not self.wrong:
            return []
        return list(advice(self.wrong, self.seen, in_test=not self.read_back))

    @property
    def figures(self) -> tuple[int, float]:
        """Tokens and dollars of all traces, as Langfuse adds them up."""
        observations = self.run.observations
        return sum(map(tokens, observations)), sum(each.cost for each in observations)

    @property
    def excess(self) -> tuple[int, float]:
        """Tokens and dollars of them beyond what the gateway says."""
        return self.seen.excess

    @property
    def times_counted(self) -> float:
        """How many times what the gateway says; 0 where it says nothing."""
        # On the application's side several observations may each claim a call, or guess at it.
        used = sum(map(tokens, self.run.generations(app=False)))
        return self.figures[0] / used if used else 0

    def text(self) -> str:
        """What does not hold, what to type, and the trees; empty if all holds."""
        wrong = self.wrong
        if not wrong:
            return ""
        lines = ["not unified: " + ", ".join(TITLES[letter] for letter in wrong), ""]
        for letter, text in wrong.items():
            lines.append(f"({letter}) {TITLES[letter]}: {printable(text, _REASON)}")
        lines += ["", "What to type:", *(f"- {text}" for text in self.advice), "", *self._drawn()]
        return "\n".join(lines)

    def _drawn(self) -> Iterable[str]:
        console = Console(file=io.StringIO(), width=_WIDTH, _environ={})
        with console.capture() as captured:
            for tree in trees(self.run):
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
