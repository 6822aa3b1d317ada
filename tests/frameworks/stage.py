"""What programs run on: a gateway in each mode, a model, a recorder; how they are judged."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.checks import ATTRIBUTES, ENVIRONMENT
from frameworks.process import Process
from tracesplice_testing import Gateway, GatewayMode, ModelServer, Recorder
from tracesplice_view import Expected, Seen, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracesplice_testing.recorder import Observation

__all__ = ["PROMPT", "Outcome", "Stage", "on_stage"]

PROMPT = "ambient"
QUESTION = "question-1"
# Of the gateway's own generations, not of its web framework's.
_SCOPES = ("litellm", "langfuse-sdk")
_WHO = (ATTRIBUTES["user_id"], ATTRIBUTES["session_id"], tuple(ATTRIBUTES["tags"]))


@dataclass(frozen=True)
class Outcome:
    """What became of a call: for each check, None or what was wrong."""

    checks: dict[str, str | None]
    answer: str
    recorded: str

    @property
    def wrong(self) -> dict[str, str]:
        """What does not hold."""
        return {name: text for name, text in self.checks.items() if text is not None}


@dataclass(frozen=True)
class Stage:
    """Runs programs, and says what became of their calls."""

    recorder: Recorder
    model: ModelServer
    gateways: dict[GatewayMode, Gateway]
    earlier: set[str] = field(default_factory=set)

    def process(self, program: str, mode: GatewayMode, *, plain: bool = False) -> Process:
        """A program's process, against the gateway of a mode; `plain` is without tracesplice."""
        gateway = self.gateways[mode]
        variables = {
            **self.recorder.env(),
            "LANGFUSE_TRACING_ENVIRONMENT": ENVIRONMENT,
            "LITELLM_PROXY_API_BASE": gateway.url,
            "LITELLM_PROXY_API_KEY": gateway.key,
            "TRACESPLICE_STRICT": "1",
            "FRAMEWORKS_ATTRIBUTES": json.dumps(ATTRIBUTES),
            "FRAMEWORKS_PLAIN": "1" if plain else "",
        }
        return Process(program, variables)

    def run(
        self,
        process: Process,
        call: str,
        *,
        answer: str | None = None,
        question: str = QUESTION,
        enclosed: bool = True,
    ) -> Outcome:
        """Have a call made, and judge it; `answer` is what comes of it without tracesplice.

        Without an enclosing span, each of its roots is a trace of its own.
        """
        self.earlier.update(each.trace_id for each in self.recorder.observations())
        self.recorder.clear()
        self.model.clear()
        made = process.make(json.dumps({"call": call, "question": question, "enclosed": enclosed}))
        asked = len(self.model.calls)
        own = set(made["own"])
        gateway = self.recorder.wait_for(lambda _: self._arrived(own, asked))
        by_id = {each.id: each for each in self._observations()}
        traces = {each.id: each for each in self.recorder.traces()}
        roots = {each.trace_id for each in by_id.values() if each.id in own}
        expected = Expected(
            observations=len(gateway),
            traces=1 if enclosed else len(roots),
            prompts=[(PROMPT, 1)],
            who=_WHO,
            environment=ENVIRONMENT,
            costs=True,
        )
        checks = judge(Seen(expected, by_id, own, gateway, traces, made["enclosing"]))
        checks["b"] = checks["b"] or _without_parents(by_id)
        checks["e"] = _answered(made, answer)
        checks["f"] = "the program's own lists and mappings" if made["changed"] else None
        return Outcome(dict(sorted(checks.items())), made.get("answer", ""), self.recorder.report())

    def _observations(self) -> list[Observation]:
        # Some programs end a span after we looked.
        found = self.recorder.observations()
        return [each for each in found if each.trace_id not in self.earlier]

    def _arrived(self, own: set[str], count: int) -> list[Observation] | None:
        by_id = {each.id: each for each in self._observations()}
        found = [
            each
            for each in by_id.values()
            if each.id not in own and each.type == "GENERATION" and each.scope in _SCOPES
        ]
        # LITELLM_OTEL_V2 reports a generation before the server spans around it have ended.
        whole = all(_top(by_id, own, each) for each in found)
        return found if whole and len(found) >= count else None


def _without_parents(by_id: dict[str, Observation]) -> str | None:
    # Langfuse's SDK does not export every span that an instrumentation makes.
    lost = [each.line() for each in by_id.values() if each.parent_id not in (None, *by_id)]
    return f"their parents are not in Langfuse: {lost}" if lost else None


def _answered(made: dict[str, Any], answer: str | None) -> str | None:
    if "error" in made:
        return str(made["error"])
    if answer is None or made["answer"] == answer:
        return None
    return f"{made['answer']!r} is not {answer!r}"


def _top(by_id: dict[str, Observation], own: set[str], observation: Observation) -> bool:
    above: str | None = observation.parent_id
    while above is not None and above not in own:
        if above not in by_id:
            return False
        above = by_id[above].parent_id
    return True


@contextmanager
def on_stage() -> Iterator[Stage]:
    """Everything started, the gateways at the same time."""
    with ExitStack() as stack:
        model = stack.enter_context(ModelServer())
        # Knows every model, at rates that are not the gateway's.
        recorder = stack.enter_context(Recorder(default_prices={"input": 7e-6, "output": 11e-6}))
        recorder.add_prompt(PROMPT, "Say {{what}}", labels=["production"])
        common: dict[str, Any] = {"langfuse_env": recorder.env(), "model_url": model.url}
        gateways = {mode: Gateway(mode, adapter=True, **common) for mode in GatewayMode}
        for gateway in gateways.values():
            stack.callback(gateway.stop)
            gateway.start()
        for gateway in gateways.values():
            gateway.wait_ready()
        yield Stage(recorder, model, gateways)
