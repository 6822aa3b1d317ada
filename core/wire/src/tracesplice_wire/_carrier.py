"""A link as a few texts, to be taken along into a thread, a process or a queue.

``traceparent`` and ``baggage`` are what other programs on OpenTelemetry read, Langfuse's SDKs
among them. The seal says which version of this module wrote them, and that they are complete and
belong together: a text that was cut off could be another user's id. It is no signature.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from tracesplice_wire._baggage import baggage_entries, baggage_metadata, encode_baggage
from tracesplice_wire._headers import (
    PROJECT,
    TRACEPARENT,
    decode_project,
    decode_traceparent,
    encode_headers,
    header_values,
)
from tracesplice_wire._metadata import decode_metadata

if TYPE_CHECKING:
    from tracesplice_wire._link import Link

__all__ = ["MAX_CARRIER", "Carried", "decode_carrier", "encode_carrier"]

MAX_CARRIER = 4_096
"""Characters of a carrier as JSON."""

_SEAL = "tracesplice"
_VERSION = "1"
_BAGGAGE = "baggage"
_SEALED = (TRACEPARENT, _BAGGAGE, PROJECT)
_MAX_NAMES = 1_000
_CLAIM = "langfuse_trace_id="  # as Langfuse's SDKs say which trace their observations are in
_WRITTEN = re.compile(r"([0-9]{1,9})-([0-9a-f]{16})")
_AROUND = 300  # characters of all but the baggage, with the quotes and commas of JSON


class Carried(NamedTuple):
    """What a carrier holds.

    Attributes:
        link: The link.
        entries: What its baggage has for Langfuse, by its names without prefix.
    """

    link: Link
    entries: Mapping[str, str]


def encode_carrier(
    link: Link, more: tuple[tuple[str, str], ...] = ()
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Encode ``link`` as a carrier of at most ``MAX_CARRIER`` characters.

    Args:
        link: The link.
        more: Further entries of baggage, by Langfuse's names without prefix.

    Returns:
        A new dict, and the names of what did not fit: never the trace.
    """
    carrier, left_out = _written(link, more)
    return carrier.copy(), left_out


def decode_carrier(carrier: object) -> Carried:
    """Read a carrier, or the headers that another program on Langfuse's SDK sent.

    Returns:
        What it holds; each value is checked.

    Raises:
        ValueError: It is none, or not what was written; the text says what is wrong.
    """
    found = _texts(carrier)
    seal = found.get(_SEAL)
    entries = baggage_entries(found.get(_BAGGAGE))
    place = decode_traceparent(found.get(TRACEPARENT))
    if seal is None and (place is None or not entries):
        raise ValueError("it has no traceparent with baggage of Langfuse's, and no seal")
    if seal is not None:
        _check(found, seal)
    if place is not None and entries.get("trace_id", place.trace_id) != place.trace_id:
        raise ValueError("its traceparent and its baggage are of two traces")
    link = decode_metadata([], baggage_metadata(entries))
    if place is not None:
        link = link._replace(**place._asdict(), project=decode_project(found))
    return Carried(link, entries)


@lru_cache(maxsize=256)
def _written(
    link: Link, more: tuple[tuple[str, str], ...]
) -> tuple[dict[str, str], tuple[str, ...]]:
    said, left_out = _encoded(link._replace(trace_id=None, parent_id=None, trace_flags=1), more)
    carrier = encode_headers(link)
    if link.trace_id is not None:
        said = f"{_CLAIM}{link.trace_id},{said}".rstrip(",")
    if said:
        carrier[_BAGGAGE] = said
    carrier[_SEAL] = _seal(carrier)
    return carrier, left_out


@lru_cache(maxsize=256)
def _encoded(link: Link, more: tuple[tuple[str, str], ...]) -> tuple[str, tuple[str, ...]]:
    return encode_baggage(link, dict(more), MAX_CARRIER - _AROUND)


def _texts(carrier: object) -> dict[str, str]:
    if not isinstance(carrier, Mapping):
        raise ValueError("it is no mapping") from None
    found: dict[str, str] = {}
    given = {key: carrier[key] for key in islice(carrier, _MAX_NAMES) if isinstance(key, str)}
    for name in (*_SEALED, _SEAL):
        values = set(header_values(given, name))
        if len(values) > 1 or None in values:
            raise ValueError(f"{name} is not one text")
        found.update((name, value) for value in values if value is not None)
    return found


def _seal(carrier: Mapping[str, str]) -> str:
    said = "\n".join(carrier.get(name, "") for name in _SEALED)
    return f"{_VERSION}-{sha256(said.encode(errors='replace')).hexdigest()[:16]}"


def _check(found: Mapping[str, str], seal: str) -> None:
    written = _WRITTEN.fullmatch(seal)
    if written is not None and written[1] != _VERSION:
        raise ValueError("another version of tracesplice wrote it")
    if seal != _seal(found):
        raise ValueError("it is not what was written: cut off, changed or mixed up")
