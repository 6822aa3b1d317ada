"""What was sent, in one form whichever way it came, before Langfuse's rules have looked at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True)
class Draft:
    """An observation as it was sent; `is_event` where that was in the older JSON batch."""

    id: str
    trace_id: str
    parent_id: str | None
    name: str
    type: str
    start: datetime
    end: datetime | None
    model: str | None = None
    input: Any = None
    output: Any = None
    level: Any = "DEFAULT"
    status_message: str | None = None
    usage: Any = None
    cost: Any = None
    prompt_name: Any = None
    prompt_version: Any = None
    user_id: str | None = None
    session_id: str | None = None
    tags: tuple[str, ...] = ()
    environment: str = "default"
    metadata: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    scope: str = ""
    service: str = ""
    is_event: bool = False


@dataclass(frozen=True)
class TraceWrite:
    """What one span or event says about the trace as a whole; None says nothing.

    Attributes:
        about: User, session, tags and environment.
        told: Name, input and output that were meant for the trace.
        own: The observation's own name, input and output.
        parentless: Whether it has no parent.
        is_root: Whether the older storage takes it for the trace's root.
        is_app_root: Whether the current one takes its name for the trace's.
    """

    trace_id: str
    at: datetime
    about: Mapping[str, Any]
    told: Mapping[str, Any]
    own: Mapping[str, Any] = field(default_factory=dict)
    parentless: bool = True
    is_root: bool = True
    is_app_root: bool = True
