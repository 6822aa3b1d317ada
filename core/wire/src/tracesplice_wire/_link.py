"""What a call carries across to the gateway."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Link", "PromptRef"]


class PromptRef(NamedTuple):
    """One version of a Langfuse prompt: all that a prompt link needs.

    Attributes:
        name: The prompt's name.
        version: Its version, 1 or more.
    """

    name: str
    version: int

    @property
    def metadata(self) -> dict[str, Any]:
        """As LiteLLM's metadata takes it; without the empty text it rejects the prompt."""
        return {"name": self.name, "version": self.version, "prompt": ""}


class Link(NamedTuple):
    """What a call carries across: the observation it belongs to, and its trace's attributes.

    Attributes:
        trace_id: 32 lower-case hex digits, or None where no trace is open.
        parent_id: The observation to nest under, 16 lower-case hex digits, or None.
        trace_flags: W3C trace flags; bit 0 says "sampled".
        prompt: The prompt version the call is linked to.
        user_id: Langfuse's user id.
        session_id: Langfuse's session id.
        tags: Langfuse's trace tags.
        trace_name: Langfuse's trace name.
        environment: Langfuse's environment.
        version: Langfuse's version of the application.
        metadata: Entries of the trace's metadata, as pairs.
        project: Which Langfuse project the trace is in, as ``project_of`` its public key; None
            where it is not known.
    """

    trace_id: str | None = None
    parent_id: str | None = None
    trace_flags: int = 1
    prompt: PromptRef | None = None
    user_id: str | None = None
    session_id: str | None = None
    tags: tuple[str, ...] = ()
    trace_name: str | None = None
    environment: str | None = None
    version: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    project: str | None = None

    @property
    def is_sampled(self) -> bool:
        """Whether the client's side of the trace is exported."""
        return bool(self.trace_flags & 1)
