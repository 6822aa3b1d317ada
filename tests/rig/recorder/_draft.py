"""What was sent, in one form whichever way it came, before Langfuse's rules have looked at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Draft:
    """An observation as it was sent."""

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


@dataclass(frozen=True)
class TraceWrite:
    """What one span or event says about the trace as a whole; None says nothing."""

    trace_id: str
    at: datetime
    fields: dict[str, Any]
