"""What strangers wrote into traces is shown, and does nothing."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from typing import Any

import pytest
from rich.console import Console

from tracesplice_view import (
    Judged,
    Trace,
    advised,
    as_json,
    html,
    printable,
    summary,
    svg,
    trees,
)
from unit.judged_traces import OWN, ROOT, gateway, traces

SCRIPT = "<script>alert(1)</script>\"'&--><!--"
ESCAPES = "\x1b[2J\x1b]8;;http://x\x07 \x9b31m \x00\x7f\r\x08"
TURNED = "\u202eabc\u2066\u200f\u061c\u2028"
BROKEN = "\ud800"
HOSTILE = SCRIPT + ESCAPES + TURNED + BROKEN
# All but line breaks and tabs.
ACTIVE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


TEXTS = (
    "name", "type", "model", "input", "output", "level", "status_message", "prompt_name",
    "prompt_version", "user_id", "session_id", "environment", "service",
)  # fmt: skip


def hostile(judged_text: str = HOSTILE) -> Judged:
    """The same text everywhere where text can be, so that everything is wrong, too."""
    said: dict[str, Any] = dict.fromkeys(TEXTS, judged_text)
    said |= {"tags": (judged_text,), "usage": {judged_text: 1}}
    own = dataclasses.replace(OWN, **{**said, "type": "GENERATION", "level": "ERROR"})
    theirs = gateway(**{**said, "type": "GENERATION", "user_id": "other", "parent": judged_text})
    odd = dataclasses.replace(ROOT, **said, id=f"x{judged_text}", priced=True)
    [trace] = traces(ROOT, own, theirs, odd)
    about = {key: said[key] for key in ("name", "user_id", "session_id", "tags", "environment")}
    return Judged([dataclasses.replace(trace, id=judged_text, **about)])


def terminal(judged: Judged) -> str:
    console = Console(file=io.StringIO(), width=100, color_system=None, _environ={})
    with console.capture() as captured:
        for each in [*trees(judged.run), *summary(judged), *advised(judged)]:
            console.print(each)
    return captured.get()


def outputs(judged: Judged) -> dict[str, str]:
    return {
        "terminal": terminal(judged),
        "failure": judged.text(),
        "lines": judged.traces[0].tree(),
        "page": html({HOSTILE: judged}, title=HOSTILE),
        "picture": svg(judged, title=HOSTILE),
        "json": json.dumps(as_json(judged)),
    }


KINDS = ["terminal", "failure", "lines", "page", "picture", "json"]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_active_comes_through(kind: str) -> None:
    shown = outputs(hostile())[kind]
    assert not ACTIVE.search(shown)
    shown.encode()
    assert "x1b" in shown or "u001b" in shown  # it is there, as an escape


@pytest.mark.parametrize("kind", ["page", "picture"])
def test_markup_is_text(kind: str) -> None:
    shown = outputs(hostile())[kind]
    assert "<script" not in shown
    assert "<!--" not in shown
    assert "&lt;script&gt;alert(1)" in shown.replace("&#160;", " ")


def test_markup_of_rich_is_text() -> None:
    assert "[red]x[/red] :smile:" in terminal(hostile("[red]x[/red] :smile:"))


def test_long_texts_are_cut_and_counted() -> None:
    judged = hostile("A" * 200_000)
    for kind, shown in outputs(judged).items():
        if kind == "page":
            assert "198,000 more characters" in shown
        if kind not in ("json", "lines"):
            assert len(shown) < 40_000, kind


def test_readable_text_stays_as_it_is() -> None:
    for text in ("שלום", "مرحبا", "👩‍👩‍👧", "naïve\u00a0·\u200c"):
        assert printable(text) == text
    assert printable("a\r\nb\tc") == "a b c"
    assert printable("a\r\nb\tc\rd", lines=True) == "a\nb\tc\\rd"
    assert printable("abcdef", 2) == "ab … 4 more characters"


def test_an_empty_trace_is_shown() -> None:
    judged = Judged([Trace("t")])
    assert all(outputs(judged).values())
