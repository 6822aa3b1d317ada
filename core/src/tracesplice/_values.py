"""What Langfuse takes: each value of a link is judged alone, and a bad one left out alone.

The limits: https://langfuse.com/docs/observability/features/users and the server's own schema,
https://github.com/langfuse/langfuse/tree/main/packages/shared/clickhouse/migrations.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from tracesplice_wire import shown_kind, warn_once

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "MAX_VERSION",
    "environment",
    "number",
    "pairs",
    "plain_text",
    "prompt_version",
    "tags",
    "text",
]

MAX_LENGTH = 200
"""Characters of an id, a name, a tag, or a key or value of metadata."""

MAX_ENTRIES = 50
"""Tags, or entries of metadata, of one call: as many as the gateway's adapter takes."""

MAX_VERSION = 65_535
"""Langfuse stores a prompt's version in 16 bits."""

_ENVIRONMENT = re.compile(r"(?!langfuse)[a-z0-9_-]{1,40}")
_DIGITS = re.compile(r"\d{1,5}")
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_TEXT = f"text of 1 to {MAX_LENGTH} characters"


def text(key: str, value: object) -> str | None:
    """Return ``value`` if Langfuse takes it; else say once that it was left out.

    Args:
        key: What it is, for the log line: a fixed name.
        value: Any value.
    """
    found = plain_text(value)
    if found is None:
        _left_out(key, value, _TEXT)
    return found


def environment(value: object) -> str | None:
    """Return ``value`` if it can be the name of an environment; else say so once."""
    found = plain_text(value)
    if found is None or not _ENVIRONMENT.fullmatch(found):
        _left_out("environment", value, "1 to 40 of a-z, 0-9, - and _, not beginning with langfuse")
        return None
    return found


def tags(values: Iterable[object]) -> tuple[str, ...]:
    """Return the valid ones, each once, the first ``MAX_ENTRIES``; say once what was left out."""
    checked = [text("tags", each) for each in islice(values, 2 * MAX_ENTRIES)]
    found = dict.fromkeys(each for each in checked if each is not None)
    if len(found) > MAX_ENTRIES or len(checked) == 2 * MAX_ENTRIES:
        warn_once("tags", "tracesplice: of many tags the first %d were sent.", MAX_ENTRIES)
    return tuple(found)[:MAX_ENTRIES]


def pairs(entries: Iterable[tuple[object, object]]) -> tuple[tuple[str, str], ...]:
    """Return the valid ones of metadata's first ``MAX_ENTRIES``; say once what was left out."""
    first = list(islice(entries, MAX_ENTRIES + 1))
    if len(first) > MAX_ENTRIES:
        warn_once("metadata", "tracesplice: of much metadata %d entries were sent.", MAX_ENTRIES)
    checked = [
        (text("metadata", key), text("metadata", value)) for key, value in first[:MAX_ENTRIES]
    ]
    return tuple((key, value) for key, value in checked if key is not None and value is not None)


def prompt_version(value: object) -> int | None:
    """Return ``value`` as a prompt's version, 1 to ``MAX_VERSION``, if it is one."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return int.__index__(value) if 0 < value <= MAX_VERSION else None


def number(value: object) -> object:
    """Return ``value`` as a number where it is a short text of digits, as in baggage."""
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value


def plain_text(value: object) -> str | None:
    """Return ``value`` as a plain ``str`` if Langfuse takes it, else None."""
    if not isinstance(value, str):
        return None
    found = str.__str__(value)  # of somebody's own kind of text its characters
    if not 0 < len(found) <= MAX_LENGTH:
        return None
    # Half a surrogate pair cannot be sent.
    return found if found.isascii() or not _HALF_PAIR.search(found) else None


def _left_out(key: str, value: object, takes: str) -> None:
    warn_once(
        f"value:{key}",
        "tracesplice: %s, %s, was left out; Langfuse takes %s.",
        key,
        shown_kind(value),
        takes,
    )
