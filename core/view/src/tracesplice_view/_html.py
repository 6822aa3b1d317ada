"""One self-contained page of judged traces: no script, nothing loaded, light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING

from tracesplice_view._html_text import element, shown, text
from tracesplice_view._html_timeline import timeline
from tracesplice_view._html_tree import trace_tree
from tracesplice_view._judged import TITLES, Judged
from tracesplice_view._tree import money

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["html"]

_REASON = 1000  # characters
# Whatever a trace says, a browser that reads it loads and runs nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{parts}
</main>
</body>
</html>
"""


def html(judged: Judged | Mapping[str, Judged], *, title: str = "Traces in Langfuse") -> str:
    """A page that says what holds, what does not and what to type, and shows the traces.

    Args:
        judged: What to show; several, such as before and after a change, by their headings.
        title: The page's heading.

    Returns:
        The page, which opens from a file; long texts are cut, with what is missing counted.
    """
    parts = judged if isinstance(judged, Mapping) else {"": judged}
    return _PAGE.format(
        policy=_POLICY,
        title=text(title, 200),
        style=files(__package__).joinpath("page.css").read_text("utf-8"),
        parts="\n".join(line for heading, each in parts.items() for line in _part(heading, each)),
    )


def _part(heading: str, judged: Judged) -> Iterator[str]:
    yield "<section>"
    if heading:
        yield element("h2", shown(heading, 200))
    yield from _summary(judged)
    for number, trace in enumerate(judged.traces, start=1):
        yield from trace_tree(judged.run, trace, number)
    yield from timeline(judged.run)
    yield "</section>"


def _summary(judged: Judged) -> Iterator[str]:
    count = len(judged.traces)
    said = f"{count} trace{'' if count == 1 else 's'}, {'not ' if judged.wrong else ''}unified"
    yield f'<p class="verdict {"bad" if judged.wrong else "good"}">{said}</p>'
    yield '<ul class="checks" aria-label="What holds and what does not">'
    yield from _checks(judged)
    yield "</ul>"
    tokens, cost = judged.figures
    yield f"<p>Langfuse adds up {tokens:,} tokens and {money(cost)}{_times(judged)}.</p>"
    if judged.advice:
        yield '<h3>What to type</h3>\n<ul class="advice">'
        yield from (f"<li><pre>{text(each)}</pre></li>" for each in judged.advice)
        yield "</ul>"


def _checks(judged: Judged) -> Iterator[str]:
    for letter, title in TITLES.items():
        if letter in judged.wrong:
            reason = shown(judged.wrong[letter], _REASON)
            yield _check("bad", "✘", "Does not hold", f"<b>{title}</b>: {reason}")
        elif letter in judged.holds:
            yield _check("good", "✔", "Holds", title)
    if judged.unsaid:
        unsaid = ", ".join(TITLES[letter] for letter in judged.unsaid)
        yield _check("note", "○", "Unknown", f"cannot be known from these traces: {unsaid}")


def _check(class_: str, mark: str, word: str, said: str) -> str:
    """One line: the mark for the eye, the word for a screen reader."""
    unseen = f'<span class="unseen">{word}:</span>'
    return f'<li class="{class_}"><span aria-hidden="true">{mark}</span> {unseen} {said}</li>'


def _times(judged: Judged) -> str:
    times = judged.times_counted
    if times == 1:
        return ', <b class="good">counted once</b>'
    return f', <b class="bad">counted {times:.3g} times</b>' if times else ""
