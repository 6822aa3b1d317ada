"""The state of one request, and what its link looks like as attributes of a span.

The names: https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/attributes.py.
"""

from __future__ import annotations

from collections import OrderedDict
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracesplice_litellm._link import Link

__all__ = ["CALL_ID", "TYPE", "Call", "begin", "current"]

TYPE = "langfuse.observation.type"
CALL_ID = "langfuse.observation.metadata.litellm_call_id"
"""Only in mode ``langfuse``."""

_current: ContextVar[Call | None] = ContextVar("tracesplice_litellm_call", default=None)

_recent: OrderedDict[object, Call] = OrderedDict()
_MOST = 2_000  # calls in flight, and those that are reported right after


@dataclass(slots=True)
class Call:
    """One request to the gateway, with all its attempts.

    Attributes:
        link: What the client sent.
        observed: Whether a span of a model call was started for it, before it was answered.
        reported: Name and start of the generations that were reported, in nanoseconds.
        usage: How many tokens LiteLLM counted, by Langfuse's names of them; empty until it has.
    """

    link: Link
    observed: bool = False
    reported: set[tuple[str, int | None]] = field(default_factory=set)
    usage: Mapping[str, int] = field(default_factory=dict)
    attributes: Mapping[str, str | int | Sequence[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.attributes = _attributes(self.link)


def begin(link: Link, call_id: object) -> None:
    """Make the call of this request; tasks that the request starts see it, too.

    Args:
        link: Its link.
        call_id: LiteLLM's id of the call.
    """
    call = Call(link)
    _current.set(call)
    _recent[call_id] = call
    if len(_recent) > _MOST:
        _recent.popitem(last=False)


def current(call_id: object = None) -> Call | None:
    """Return the call that is being served or, in LiteLLM's logging tasks, being reported.

    Args:
        call_id: LiteLLM's id of the call, where it is known: of images and speech, LiteLLM may
            report from a thread that has no context.
    """
    return _current.get() or _recent.get(call_id)


def _attributes(link: Link) -> dict[str, str | int | Sequence[str]]:
    found: dict[str, str | int | Sequence[str] | None] = {
        "user.id": link.user_id,
        "session.id": link.session_id,
        "langfuse.trace.tags": link.tags,
        "langfuse.environment": link.environment,
    }
    if link.prompt is not None:
        found["langfuse.observation.prompt.name"] = link.prompt.name
        found["langfuse.observation.prompt.version"] = link.prompt.version
    return {name: value for name, value in found.items() if value}
