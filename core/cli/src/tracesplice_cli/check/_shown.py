"""One trace and what belongs to it, on a terminal: drawn, judged, and what to type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tracesplice_cli._wrapped import print_wrapped
from tracesplice_view import TITLES, advised, printable, summary, total, trees

if TYPE_CHECKING:
    from rich.console import Console

    from tracesplice_view import Call, Judged

__all__ = ["show"]

_REASON = 400  # characters
_NAME = 60
# Of the compatibility page's checks: no trace shows them.
_NEVER_KNOWN = ("same answer as without tracesplice", "the caller's objects unchanged")


def show(console: Console, judged: Judged) -> None:
    """Print the traces as trees, then each call."""
    console.print()
    for tree in trees(judged.run):
        console.print(tree)
    console.print(_ids(judged), soft_wrap=True)
    console.print(summary(judged)[0])
    for call in judged.calls:
        _show_call(console, judged, call)
    if not judged.calls:
        print_wrapped(console, Text(f"✘ {judged.wrong.get('a', 'no call')}", "red"))
    console.print()
    console.print(total(judged))
    for line in _not_known(judged):
        print_wrapped(console, Text(f"○ {line}", "dim"))
    for advice in advised(judged):
        # Not wrapped, so that what is to be typed can be copied.
        console.print(advice, soft_wrap=True)
    if judged.wrong:
        more = "More: docs/not_joined.md, and tracesplice doctor --probe"
        console.print(Text(more, "dim"), soft_wrap=True)


def _ids(judged: Judged) -> Text:
    lines = [
        f"Trace {number} is {printable(trace.id, 80)}"
        for number, trace in enumerate(judged.traces, start=1)
    ]
    return Text("\n" + "\n".join(lines) + "\n", "dim")


def _show_call(console: Console, judged: Judged, call: Call) -> None:
    console.print()
    print_wrapped(console, Text(_heading(call), "bold"))
    for letter, text in call.wrong.items():
        print_wrapped(console, Text(f"✘ {TITLES[letter]}: {printable(text, _REASON)}", "red"), 2)
    good = [TITLES[letter] for letter in TITLES if _holds(judged, call, letter)]
    if good:
        print_wrapped(console, Text(f"✔ {', '.join(good)}", "green"))
    for note in _notes(call):
        print_wrapped(console, Text(f"○ {note}", "yellow"))


def _heading(call: Call) -> str:
    own = printable(call.own.name, _NAME) if call.own else "nothing of the application's"
    names = dict.fromkeys(printable(each.name, _NAME) for each in call.gateway)
    return f"{own} → {', '.join(names) or 'nothing of the gateway'}"


def _holds(judged: Judged, call: Call, letter: str) -> bool:
    if call.own is None or not call.gateway:
        return False
    return letter not in call.wrong and (letter != "h" or not judged.read_back)


def _notes(call: Call) -> list[str]:
    notes = []
    if call.own is None or not call.gateway:
        return ["the rest cannot be known without the other side"]
    if not any(each.prompt_name for each in (call.own, *call.gateway)):
        notes.append("no prompt is named on either side")
    if not any(each.user_id for each in (call.own, *call.gateway)):
        notes.append("no user is named on either side: the cost counts for no user")
    return notes


def _not_known(judged: Judged) -> list[str]:
    priced = [TITLES["h"]] if judged.read_back else []
    return [f"not known from a trace: {', '.join((*priced, *_NEVER_KNOWN))}"]
