"""Where a request says that its call belongs: the ids in its body, then ``traceparent``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracesplice_litellm import _values
from tracesplice_litellm._baggage import traceparent
from tracesplice_litellm._link import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["At", "read_place", "unknown_parent"]


class At(NamedTuple):
    """The fields of the same names of a ``Link``."""

    place: Place | None = None
    header: Place | None = None
    sampled: bool | None = None
    starts_trace: bool = False


def read_place(
    texts: Mapping[str, str],
    headers: Mapping[str, object],
    baggage: Mapping[str, str],
    litellms: object,
    same_project: bool | None,
) -> At:
    """Return where the call belongs.

    Args:
        texts: The valid texts of the body, by LiteLLM's names.
        headers: The request's headers.
        baggage: What ``baggage`` has for Langfuse.
        litellms: The trace id that LiteLLM found by itself, in headers or its own server span.
        same_project: Whether the client's trace is in the project that this call is reported to.
    """
    if same_project is False:
        return At()
    sent = traceparent(headers)
    joined = _joined(texts.get("existing_trace_id"), sent)
    own = None if joined is not None else texts.get("trace_id")
    starts = own is not None and not _is_litellms(own, litellms, sent)
    trace_id = _values.trace_id(own) if starts else joined
    place = _place(sent, trace_id, texts.get("parent_observation_id"))
    return At(place, sent, None if starts else _sampled(sent, joined, baggage), starts)


def unknown_parent(trace_id: str) -> str:
    """Return the span id that stands for no parent, of that trace alone.

    A ``traceparent`` must name one; clients of tracesplice make the same.
    """
    return _values.span_id(trace_id[:16]) or trace_id[16:]


def _is_litellms(own: str, litellms: object, sent: Place | None) -> bool:
    # LiteLLM writes there what it found itself, too: the header's, or its server span's.
    if sent is None or own != sent.trace_id:
        return own == litellms
    return sent.parent_id != unknown_parent(sent.trace_id)


def _joined(written: str | None, sent: Place | None) -> str | None:
    # What is no id gives way to the header. Without one, LiteLLM makes an id of any text.
    if written is None or sent is not None:
        return _values.trace_id(written)
    return _values.any_trace_id(written)


def _place(sent: Place | None, trace_id: str | None, parent_id: str | None) -> Place | None:
    if sent is None:
        return None if trace_id is None else Place(trace_id, parent_id)
    if trace_id is None or trace_id == sent.trace_id:
        # A parent without a trace is one of the header's trace.
        return Place(sent.trace_id, parent_id or sent.parent_id, sent.sampled)
    return Place(trace_id, parent_id)


def _sampled(sent: Place | None, joined: str | None, baggage: Mapping[str, str]) -> bool | None:
    if sent is None or (joined is None and not baggage):
        # A header alone may be of a service mesh that samples its own traces.
        return None
    return sent.sampled if joined in (None, sent.trace_id) else None
