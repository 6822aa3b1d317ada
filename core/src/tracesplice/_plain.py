"""Values of any kind, made short and plain, so that they can be kept and compared."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from tracesplice_wire import MAX_ENTRIES, MAX_LENGTH, shown_kind

__all__ = ["MAX_READ", "Plain", "Unsendable", "decoded", "plain"]

MAX_READ = 2 * MAX_ENTRIES
"""Entries of a list that are looked at: some may be no texts, or be there twice."""

_MAX_JSON = 65_536  # characters; what is valid is shorter


class Unsendable(NamedTuple):
    """Stands for a value that cannot be sent: by what a log line may say of it."""

    shown: str


Plain = str | int | Unsendable | tuple[Any, ...] | None
"""A text, a number, or several of them; nothing longer than what Langfuse takes."""


def plain(value: object) -> Plain:
    """Return a value as it can be kept and compared."""
    if isinstance(value, (list, tuple)):
        first = tuple(value[:MAX_READ])
        for each in first:
            if type(each) is not str or len(each) > MAX_LENGTH:
                return tuple(map(plain, first))
        return first
    if isinstance(value, str):
        found = str.__str__(value)  # somebody's own kind of text need not behave as one
        return found if len(found) <= MAX_LENGTH else Unsendable(shown_kind(found))
    if isinstance(value, dict):
        entries = islice(value.items(), MAX_ENTRIES + 1)
        return tuple((plain(key), plain(decoded(each))) for key, each in entries)
    if isinstance(value, int) and not isinstance(value, bool):
        return int.__index__(value)
    return None if value is None else Unsendable(shown_kind(value))


def decoded(value: object, kinds: type | tuple[type, ...] = str) -> object:
    """Return what a text of JSON says, where that is one of ``kinds``; else the value itself.

    From 5.0 on Langfuse's SDK writes each value of metadata as JSON, texts included.
    """
    text = str.__str__(value) if isinstance(value, str) else ""
    if text[:1] in ('"', "[") and len(text) <= _MAX_JSON:
        with suppress(ValueError, RecursionError):
            found = json.loads(text)
            return found if isinstance(found, kinds) else value
    return value
