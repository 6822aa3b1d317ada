"""Judges traces as they were read back: what does not hold, what to type, and the trees."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console

from tracesplice_view._advice import advice
from tracesplice_view._judge import Expected, Seen, judge
from tracesplice_view._run import Run
from tracesplice_view._tree import trees

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
_GATEWAY = "litellm"
_GATEWAY_METADATA = ("litellm_call_id", "user_api_key_hash", "litellm_response_cost")
_WIDTH = 100


def is_of_gateway(observation: Observation) -> bool:
    """Whether a LiteLLM gateway reported it, in whichever of its three modes."""
    # LiteLLM names itself, except in mode `langfuse`, where it uses Langfuse's SDK.
    return _GATEWAY in (observation.scope, observation.service) or any(
        key in observation.metadata for key in _GATEWAY_METADATA
    )


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
