"""The newest traces of a project in a table, and what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from tracesplice_view import money, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from tracesplice_view import Call, Judged

__all__ = ["show_newest", "totals"]

_NAME = 40
_SHORT = {
    "a": "split",
    "b": "beside",
    "c": "prompt on one side",
    "d": "user, session or tags missing",
    "g": "counted twice",
    "h": "priced by Langfuse",
    "i": "another environment",
    "j": "spans of the gateway",
}
_TOLD = {
    "split": "split",
    "beside": "beside",
    "without_gateway": "without the gateway's side",
    "unlinked": "with a prompt on one side",
    "counted_twice": "counted twice",
}
_MORE = {
    "d": "without user, session or tags",
    "i": "in another environment",
    "j": "with spans of the gateway",
}


def show_newest(console: Console, project: str, found: Sequence[Judged]) -> None:
    """Print a row for each trace with what belongs to it, and the sums."""
    if not found:
        said = f"The project {project!r} has no traces yet, but for those of tracesplice doctor."
        console.print(said, markup=False)
        return
    table = Table("trace", "calls", "what does not hold")
    for judged in found:
        calls = str(len(judged.calls)) if judged.calls else "none"
        table.add_row(_trace(judged), calls, _wrong(judged))
    console.print(table)
    for line in _sums(found):
        console.print(line)
    wrong = next((each for each in found if each.wrong and each.calls), None)
    if wrong is not None:
        again = f"tracesplice check {printable(wrong.traces[0].id)}"
        # Not wrapped, so that it can be copied.
        console.print(Text(f"Why, and what to type:\n  {again}"), soft_wrap=True)


def totals(found: Iterable[Judged]) -> dict[str, Any]:
    """How many traces and calls there are, and of how many calls something does not hold.

    `counted_too_much` is what Langfuse adds up beyond the gateway's figures, in tokens and USD.
    """
    judged = list(found)
    calls = [call for each in judged for call in each.calls]
    return {
        "traces": sum(len(each.traces) for each in judged),
        "calls": len(calls),
        "split": sum(call.is_split for call in calls),
        "without_gateway": sum(not call.gateway for call in calls),
        "beside": sum(call.is_beside for call in calls),
        "unlinked": sum("c" in call.wrong for call in calls),
        "counted_twice": sum("g" in call.wrong for call in calls),
        "counted_too_much": {
            "tokens": sum(each.excess[0] for each in judged),
            "cost": sum(each.excess[1] for each in judged),
        },
    }


def _trace(judged: Judged) -> Text:
    text = Text(overflow="fold")
    for number, trace in enumerate(judged.traces):
        text.append("\n" if number else "")
        text.append(printable(trace.id, _NAME), "bold" if not number else "")
    name = judged.traces[0].name
    return text.append(f"\n{printable(name, _NAME)}", "dim") if name else text


def _wrong(judged: Judged) -> Text:
    if not judged.calls:
        return Text("no call through the gateway", "dim")
    counts: dict[str, int] = {}
    for call in judged.calls:
        for text in _of_call(call):
            counts[text] = counts.get(text, 0) + 1
    if not counts:
        return Text("✔ all holds", "green")
    many = len(judged.calls) > 1
    lines = [f"✘ {text}{f' ({count} calls)' if many else ''}" for text, count in counts.items()]
    return Text("\n".join(lines), "red")


def _of_call(call: Call) -> Iterable[str]:
    if not call.gateway:
        return ["nothing of the gateway"] if call.wrong else []
    if call.own is None:
        return ["nothing of the application"]
    # That it is not under the application's follows.
    letters = [letter for letter in call.wrong if letter != "b" or not call.is_split]
    return [_SHORT[letter] for letter in letters]


def _sums(found: Sequence[Judged]) -> Iterable[Text]:
    sums = totals(found)
    calls = [call for each in found for call in each.calls]
    counts = {text: sums[name] for name, text in _TOLD.items()}
    counts |= {text: sum(letter in call.wrong for call in calls) for letter, text in _MORE.items()}
    wrong = ", ".join(f"{count} {text}" for text, count in counts.items() if count)
    said = wrong or ("all holds" if calls else "nothing to judge")
    yield Text(f"{_many(sums['traces'], 'trace')}, {_many(len(calls), 'call')}: {said}")
    twice = sums["counted_too_much"]
    if twice["tokens"] or twice["cost"]:
        yield Text(f"Counted too much: {twice['tokens']} tokens, {money(twice['cost'])}")


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
