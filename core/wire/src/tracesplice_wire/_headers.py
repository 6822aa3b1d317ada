"""The headers of a request and of its answer: W3C trace context, and two of ours.

https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from tracesplice_wire import _limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracesplice_wire._link import Link

__all__ = [
    "PROJECT",
    "REPORTS",
    "TRACEPARENT",
    "TRACEPARENT_FORMAT",
    "Place",
    "decode_project",
    "decode_traceparent",
    "encode_headers",
    "header_values",
    "no_parent",
    "project_of",
]

TRACEPARENT = "traceparent"
"""Where the call belongs."""

TRACEPARENT_FORMAT = "00-%s-%s-%02x"
"""Its value, for trace id, parent id and flags."""

PROJECT = "x-tracesplice-project"
"""Which Langfuse project that trace is in, as ``project_of`` says it."""

REPORTS = "x-tracesplice-reports"
"""On an answer: "true" where nothing of the call's usage is left for the client to count."""

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_PROJECT = re.compile(r"[0-9a-f]{16}")


class Place(NamedTuple):
    """Where a call belongs: the fields of the same names of a ``Link``."""

    trace_id: str
    parent_id: str | None
    trace_flags: int = 1


def encode_headers(link: Link) -> dict[str, str]:
    """Encode the place of ``link`` as headers; empty where it is in no trace."""
    if link.trace_id is None:
        return {}
    parent_id = link.parent_id or no_parent(link.trace_id)
    found = {TRACEPARENT: TRACEPARENT_FORMAT % (link.trace_id, parent_id, link.trace_flags)}
    if link.project is not None:
        found[PROJECT] = link.project
    return found


def decode_traceparent(value: object) -> Place | None:
    """Return the place that a ``traceparent`` header names, None if it is not valid."""
    match = _TRACEPARENT.fullmatch(value.strip()) if isinstance(value, str) else None
    return None if match is None else Place(match[1], match[2], int(match[3], 16))


def decode_project(headers: Mapping[str, object]) -> str | None:
    """Return which project the headers name, None where they name none."""
    value = headers.get(PROJECT)
    if not isinstance(value, str) or not _PROJECT.fullmatch(value.strip()):
        return None
    return value.strip()


def no_parent(trace_id: str) -> str:
    """Return the span id that stands for "no parent" in a trace: ``traceparent`` must name one."""
    return _limits.span_id(trace_id[:16]) or trace_id[16:]


def header_values(headers: Mapping[str, object], name: str) -> list[str | None]:
    """Return the values of ``name``, whatever its spelling, in their order.

    Args:
        headers: Headers as a caller wrote them, in text or bytes.
        name: The header's name in lower case.

    Returns:
        A text for each spelling; None where the caller wrote a marker, to take the header away.
    """
    return [
        _text(value)
        for key, value in headers.items()
        # The length first: this runs over all headers of every call.
        if len(key) == len(name) and (_text(key) or "").lower() == name
    ]


@lru_cache(maxsize=64)
def project_of(public_key: str) -> str:
    """Return what stands for the Langfuse project of ``public_key``: 16 hex digits of a digest."""
    return sha256(public_key.encode(errors="replace")).hexdigest()[:16]


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("latin-1")  # any byte is a character
    return value if isinstance(value, str) else None
