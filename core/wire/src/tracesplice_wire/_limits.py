"""What Langfuse takes: each value is judged alone.

The limits: https://langfuse.com/docs/observability/features/users, and the server's own schema,
https://github.com/langfuse/langfuse/tree/main/packages/shared/clickhouse/migrations. One bad value
can cost the whole observation, or the batch it is stored with.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from tracesplice_wire._link import PromptRef

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "MAX_ENTRIES",
    "MAX_LENGTH",
    "MAX_VERSION",
    "environment",
    "number",
    "pairs",
    "prompt_ref",
    "span_id",
    "tags",
    "text",
    "trace_id",
]

MAX_LENGTH = 200
"""Characters of an id, a name, a tag, or a key or value of metadata."""

MAX_ENTRIES = 50
"""Tags, or entries of metadata, of one call; Langfuse names no limit."""

MAX_VERSION = 65_535
"""Langfuse stores a prompt's version in 16 bits."""

_MAX_READ = 10_000  # entries of a list that are looked at
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")
_ENVIRONMENT = re.compile(r"(?!langfuse)[a-z0-9_-]{1,40}")
_DIGITS = re.compile(r"[0-9]{1,5}")
_HALF_PAIR = re.compile("[\ud800-\udfff]")


def trace_id(value: object) -> str | None:
    """Return ``value`` if it is a W3C trace id, 32 lower-case hex digits and not all zero."""
    return value if isinstance(value, str) and _TRACE_ID.fullmatch(value) else None


def span_id(value: object) -> str | None:
    """Return ``value`` if it is a W3C span id, 16 lower-case hex digits and not all zero."""
    return value if isinstance(value, str) and _SPAN_ID.fullmatch(value) else None


def text(value: object) -> str | None:
    """Return ``value`` as a plain ``str`` of 1 to ``MAX_LENGTH`` characters, if it is one."""
    if not isinstance(value, str):
        return None
    found = str.__str__(value)  # of somebody's own kind of text its characters
    if not 0 < len(found) <= MAX_LENGTH:
        return None
    # Half a surrogate pair cannot be sent.
    return found if found.isascii() or not _HALF_PAIR.search(found) else None


def environment(value: object) -> str | None:
    """Return ``value`` if it can be the name of a Langfuse environment."""
    found = text(value)
    return found if found is not None and _ENVIRONMENT.fullmatch(found) else None


def tags(values: Iterable[object]) -> tuple[str, ...]:
    """Return the valid ones, each once, the first ``MAX_ENTRIES``."""
    found: dict[str, None] = {}
    for value in islice(values, _MAX_READ):
        if type(value) is str and value in found:
            continue  # a request names most of its tags several times
        tag = text(value)
        if tag is not None:
            found[tag] = None
            if len(found) == MAX_ENTRIES:
                break
    return tuple(found)


def pairs(entries: Iterable[tuple[object, object]]) -> tuple[tuple[str, str], ...]:
    """Return the valid ones of metadata's first ``MAX_ENTRIES``."""
    checked = [(text(key), text(value)) for key, value in islice(entries, MAX_ENTRIES)]
    return tuple((key, value) for key, value in checked if key is not None and value is not None)


def prompt_ref(name: object, version: object) -> PromptRef | None:
    """Return the reference to a prompt if Langfuse would link it.

    Args:
        name: The prompt's name.
        version: An integer from 1 to ``MAX_VERSION``; what came as text goes through ``number``.
    """
    checked = text(name)
    if checked is None or isinstance(version, bool) or not isinstance(version, int):
        return None
    return PromptRef(checked, int.__index__(version)) if 0 < version <= MAX_VERSION else None


def number(value: object) -> object:
    """Return ``value`` as a number where it is a short text of digits, as in baggage."""
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value
