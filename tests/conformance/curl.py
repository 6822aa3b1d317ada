"""Calls a gateway as a program without any SDK does, and finds what the gateway reported."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.harness import GATEWAY_SCOPES

if TYPE_CHECKING:
    from tracesplice_testing.gateway import Gateway, Reply
    from tracesplice_testing.recorder import Observation, Recorder

__all__ = [
    "BAGGAGE",
    "CHAT",
    "PROMPT",
    "REPORTS",
    "Caller",
    "is_linked",
    "owner",
]

PROMPT = "curl"
REPORTS = "x-tracesplice-reports"
CHAT: dict[str, Any] = {"model": "chat", "messages": [{"role": "user", "content": "hi"}]}
BAGGAGE = (
    f"langfuse_prompt_name={PROMPT},langfuse_prompt_version=2,langfuse_user_id=user%201,"
    "langfuse_session_id=session-1,langfuse_tags=tag-1%2Ctag-2,langfuse_environment=staging,"
    "someone=else"
)


@dataclass(frozen=True)
class Caller:
    """A client with an open trace of its own."""

    gateway: Gateway
    recorder: Recorder
    trace_id: str = field(default_factory=lambda: secrets.token_hex(16))
    parent_id: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.parent_id}-01"

    @property
    def metadata(self) -> dict[str, Any]:
        """The link in the body, as a client of tracesplice sends it."""
        return {
            "existing_trace_id": self.trace_id,
            "parent_observation_id": self.parent_id,
            "prompt": {"name": PROMPT, "version": 2, "prompt": ""},
        }

    def nothing_dropped(self) -> None:
        """Langfuse took everything of this trace."""
        own = [each for each in self.recorder.problems() if each.trace_id == self.trace_id]
        assert not [each for each in own if each.kind != "prompt-type"]

    def post(self, body: object, path: str = "/chat/completions", **headers: str) -> Reply:
        """Call with ``traceparent`` and ``headers``; a header of "" is not sent."""
        sent = {"traceparent": self.traceparent, **headers}
        present = {name.replace("_", "-"): value for name, value in sent.items() if value}
        return self.gateway.post(path, body, present)

    def another(self) -> Caller:
        """One with a trace of its own, at the same gateway."""
        return Caller(self.gateway, self.recorder)

    def left_out(self) -> bool:
        """Whether nothing is reported in this trace after the gateway has reported a next call."""
        following = self.another()
        following.post(CHAT)
        following.generations()
        return not self.reported()

    def generations(self, count: int = 1) -> list[Observation]:
        """Wait for the gateway's generations in this trace, under the parent that was sent."""
        return self.recorder.wait_for(lambda _: self._arrived(count))

    def reported(self) -> list[Observation]:
        """What the gateway reported in this trace by now."""
        return [
            each
            for each in self.recorder.observations()
            if each.trace_id == self.trace_id
            and each.type == "GENERATION"
            and each.scope in GATEWAY_SCOPES
        ]

    def _arrived(self, count: int) -> list[Observation] | None:
        found = self.reported()
        whole = all(owner(self.recorder, each) == self.parent_id for each in found)
        return found if whole and len(found) >= count else None


def owner(recorder: Recorder, observation: Observation) -> str | None:
    """The client's observation that one of the gateway's is under: directly, no span between."""
    own = {each.id for each in recorder.observations()}
    return None if observation.parent_id in own else observation.parent_id


def is_linked(caller: Caller, generation: Observation) -> None:
    """The generation is where the caller said, with its prompt."""
    assert owner(caller.recorder, generation) == caller.parent_id, caller.recorder.report()
    assert (generation.prompt_name, generation.prompt_version) == (PROMPT, 2)
