"""Calls a gateway as a program without any SDK does, and finds what the gateway reported."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.harness import GATEWAY_SCOPES

if TYPE_CHECKING:
    from rig.gateway import Gateway, Reply
    from rig.recorder import Observation, Recorder

__all__ = ["BAGGAGE", "CHAT", "PROMPT", "Caller", "owner"]

PROMPT = "curl"
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

    def post(self, body: dict[str, Any], path: str = "/chat/completions", **headers: str) -> Reply:
        """Call with ``traceparent`` and ``headers``; a header of "" is not sent."""
        sent = {"traceparent": self.traceparent, **headers}
        present = {name.replace("_", "-"): value for name, value in sent.items() if value}
        return self.gateway.post(path, body, present)

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
