"""What the doctor finds: whether it holds, what it is, why it matters, and what to type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "State", "masked", "ok", "problem", "unknown"]

State = Literal["ok", "problem", "unknown"]
_SHOWN = 4
_LONG_ENOUGH = 16


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: Its stable name, with its group before the dot: ``gateway.key``.
        state: Whether it holds, is to be mended, or could not be seen.
        what: What was found, in a sentence.
        why: Why it matters; empty where it holds.
        type: What to type, a line each; copied as they are.
    """

    check: str
    state: State
    what: str
    why: str = ""
    type: tuple[str, ...] = ()


def ok(check: str, what: str) -> Finding:
    """Something that holds."""
    return Finding(check, "ok", what)


def problem(check: str, what: str, why: str, *type_: str) -> Finding:
    """Something to mend."""
    return Finding(check, "problem", what, why, type_)


def unknown(check: str, what: str, why: str, *type_: str) -> Finding:
    """Something that could not be seen from here."""
    return Finding(check, "unknown", what, why, type_)


def masked(key: str) -> str:
    """A key's first and last four characters; of a short key nothing."""
    if len(key) < _LONG_ENOUGH:
        return "****"
    return f"{key[:_SHOWN]}…{key[-_SHOWN:]}"
