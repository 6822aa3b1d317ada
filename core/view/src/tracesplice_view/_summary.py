"""What holds of judged traces and what does not, in lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tracesplice_view._judged import TITLES
from tracesplice_view._printable import printable
from tracesplice_view._tree import money

if TYPE_CHECKING:
    from tracesplice_view._judged import Judged

__all__ = ["advised", "summary", "total"]

_REASON = 300  # characters


def summary(judged: Judged, *, why: bool = True) -> list[Text]:
    """A badge, a line for each check, and what Langfuse adds up.

    Args:
        judged: What is told.
        why: Whether to add reasons, and what cannot be said.
    """
    wrong = judged.wrong
    count = len(judged.traces)
    badge = f" {count} trace{'' if count == 1 else 's'}, {'not unified' if wrong else 'unified'} "
    lines = [Text(badge, f"bold white on {'red' if wrong else 'green'}")]
    for letter, title in TITLES.items():
        if letter in wrong:
            reason = f": {printable(wrong[letter], _REASON)}" if why else ""
            lines.append(Text(f"✘ {title}{reason}", "red"))
        elif letter in judged.holds:
            lines.append(Text(f"✔ {title}", "green"))
    if why and judged.unsaid:
        unsaid = ", ".join(TITLES[letter] for letter in judged.unsaid)
        lines.append(Text(f"○ cannot be known from these traces: {unsaid}", "yellow"))
    return [*lines, total(judged)]


def total(judged: Judged) -> Text:
    """Tokens and dollars of all traces, and how often that counts each call."""
    tokens, cost = judged.figures
    times = judged.times_counted
    text = Text(f"∑ {tokens} tokens · {money(cost)}")
    if times == 1:
        return text.append("  counted once", "green")
    return text.append(f"  counted {times:.3g} times", "red") if times else text


def advised(judged: Judged) -> list[Text]:
    """What to type where something does not hold; nothing where all does."""
    lines = [Text(f"- {text}") for text in judged.advice]
    return [Text("What to type:", "bold"), *lines] if lines else []
