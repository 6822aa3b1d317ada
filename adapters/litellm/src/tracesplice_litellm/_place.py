"""Where a request says that its call belongs: the ids in its body, then ``traceparent``."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from tracesplice_wire import Place, no_parent, project_of, text, trace_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tracesplice_wire import Link

__all__ = [
    "Places",
    "find_places",
    "first_text",
    "in_project",
    "own_public_key",
]


class Places(NamedTuple):
    """The places that a request names.

    Attributes:
        joined: The trace and parent to join or, if ``starts_trace``, to start.
        header: What its ``traceparent`` says, which LiteLLM acts on by itself.
        otel: Where the OpenTelemetry modes have to report the call.
        sampled: Whether the client records the trace it names as Langfuse's; None if not said.
        starts_trace: Whether the client asked for a trace of that id, not for joining one.
    """

    joined: Place | None = None
    header: Place | None = None
    otel: Place | None = None
    sampled: bool | None = None
    starts_trace: bool = False


def find_places(
    body: Iterable[Mapping[str, Any]],
    link: Link,
    header: Place | None,
    litellm_trace_id: object,
    *,
    from_langfuse: bool,
) -> Places:
    """Find where a call belongs.

    Args:
        body: What may hold the ids, most trusted first.
        link: What is valid of it.
        header: What ``traceparent`` says.
        litellm_trace_id: What LiteLLM found by itself, in headers or its own server span.
        from_langfuse: Whether there is ``baggage`` for Langfuse, so that the header is, too.
    """
    joined, own = link.trace_id, None
    if joined is None:
        written = None if header is not None else first_text(body, "existing_trace_id")
        joined = None if written is None else _any_trace_id(written)
    if joined is None:
        own = first_text(body, "trace_id")
    starts = own is not None and not _is_litellm_own(own, litellm_trace_id, header)
    place = _place(header, trace_id(own) if starts else joined, link.parent_id)
    sampled = None
    # A header alone may be of a service mesh that samples its own traces.
    if header is not None and not starts and (from_langfuse or joined is not None):
        sampled = bool(header.trace_flags & 1) if joined in (None, header.trace_id) else None
    return Places(place, header, _otel_place(place, header, starts=starts), sampled, starts)


def first_text(body: Iterable[Mapping[str, Any]], key: str) -> str | None:
    """Return the first valid text of that name."""
    for source in body:
        if (value := source.get(key)) is not None and (found := text(value)) is not None:
            return found
    return None


def in_project(project: str | None, logging: Any) -> bool | None:
    """Return whether a call is reported to the client's Langfuse project, None if not known.

    A key or a team of the gateway may report to a project of its own:
    https://docs.litellm.ai/docs/proxy/team_logging

    Args:
        project: The one the client says, as ``project_of`` says it.
        logging: LiteLLM's logging object of the call.
    """
    if project is None:
        return None
    key = own_public_key(logging) or os.environ.get("LANGFUSE_PUBLIC_KEY")
    return project == project_of(key) if isinstance(key, str) and key else None


def own_public_key(logging: Any) -> Any:
    """Return the public key that the call's key or team reports with, None if that of all."""
    params = getattr(logging, "standard_callback_dynamic_params", None) or {}
    return params.get("langfuse_public_key")


def _any_trace_id(value: str) -> str:
    # What LiteLLM in mode `langfuse` makes of any text (`resolve_trace_id`):
    # https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse_sdk.py
    plain = value.lower().replace("-", "")
    return trace_id(plain) or sha256(value.encode()).digest()[:16].hex()


def _is_litellm_own(own: str, litellm_trace_id: object, header: Place | None) -> bool:
    # LiteLLM writes there what it found itself, too: the header's, or its server span's.
    if header is None or own != header.trace_id:
        return own == litellm_trace_id
    return header.parent_id != no_parent(header.trace_id)


def _place(header: Place | None, trace_id: str | None, parent_id: str | None) -> Place | None:
    if header is None or trace_id not in (None, header.trace_id):
        return None if trace_id is None else Place(trace_id, parent_id)
    # A parent without a trace is one of the header's trace.
    return Place(header.trace_id, parent_id or header.parent_id, header.trace_flags)


def _otel_place(place: Place | None, header: Place | None, *, starts: bool) -> Place | None:
    if place is None or place.parent_id is not None:
        return place or header
    # As LiteLLM does in mode `langfuse`: under a parent that never arrives, so that the generation
    # does not pass for the trace's root.
    return header if starts else place._replace(parent_id=no_parent(place.trace_id))
