"""What a client told the gateway about a call, checked."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Link", "Place", "PromptRef"]


class Place(NamedTuple):
    """Where a call belongs.

    Attributes:
        trace_id: 32 lower-case hex digits.
        parent_id: The observation to nest under, 16 lower-case hex digits, or None.
        sampled: Whether the client records this trace.
    """

    trace_id: str
    parent_id: str | None
    sampled: bool = True


class PromptRef(NamedTuple):
    """One version of a Langfuse prompt: all that a prompt link needs."""

    name: str
    version: int


class Link(NamedTuple):
    """What a client sent; None, or empty, is what it did not send or what was invalid.

    Attributes:
        place: The trace and parent to join.
        header: What its ``traceparent`` alone says, which LiteLLM acts on by itself.
        sampled: Whether the client records the trace it names as Langfuse's; None if not said.
        starts_trace: Whether the client asked for a trace of that id, not for joining one.
        same_project: Whether its trace is in the project this call is reported to; None if not
            said. Where it is not, there is no ``place``.
        prompt: The prompt version the call is linked to.
        user_id: Langfuse's user id.
        session_id: Langfuse's session id.
        tags: Langfuse's trace tags.
        trace_name: Langfuse's trace name.
        environment: Langfuse's environment.
        version: Langfuse's version, of the application.
        trace_metadata: Langfuse's metadata that is on each observation of the trace.
        generation_name: What the gateway generation is to be called.
    """

    place: Place | None = None
    header: Place | None = None
    sampled: bool | None = None
    starts_trace: bool = False
    same_project: bool | None = None
    prompt: PromptRef | None = None
    user_id: str | None = None
    session_id: str | None = None
    tags: tuple[str, ...] = ()
    trace_name: str | None = None
    environment: str | None = None
    version: str | None = None
    trace_metadata: Mapping[str, str] = MappingProxyType({})
    generation_name: str | None = None
