"""Values in log lines and error messages: short, on one line, and nothing secret."""

from __future__ import annotations

import re
from contextlib import suppress
from reprlib import Repr

__all__ = ["shown", "shown_kind", "shown_url"]

_LENGTH = 80
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

_repr = Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = _LENGTH


def shown(value: object) -> str:
    """Return ``repr(value)``, cut to 80 characters; never raises.

    For names and settings. Of ids of users and sessions, and of what was asked or answered, say
    ``shown_kind`` at most.
    """
    text = f"<{type(value).__name__}>"
    with suppress(Exception):  # an integer of more digits than Python writes, or a `__repr__`
        text = _repr.repr(value)
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 1]}…"


def shown_kind(value: object) -> str:
    """Say what ``value`` is, without a character of it."""
    if isinstance(value, str):
        return f"a text of {str.__len__(value)} characters"
    return f"a value of type {type(value).__name__}"


def shown_url(url: object) -> str:
    """Return ``url`` without user, password, query and fragment, as ``shown`` would."""
    text = str(url)
    scheme = _SCHEME.match(text)
    start = scheme[0] if scheme else ""
    before, *after = re.split("[?#]", text[len(start) :], maxsplit=1)
    if after and "@" in after[0] and ":" in before:
        before = "…"  # a password that is not quoted may go on after the `?`
    return shown(f"{start}{before.rpartition('@')[2]}")
