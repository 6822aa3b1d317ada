"""The probe as a whole: which model, the calls, the wait, the verdict."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from tracesplice_cli._failed import reason
from tracesplice_cli._http import Unreachable
from tracesplice_cli._progress import step
from tracesplice_cli.doctor._finding import Finding, unknown
from tracesplice_cli.doctor._judge import judge_calls, judge_failures
from tracesplice_cli.doctor._probe import make_calls
from tracesplice_cli.doctor._read_back import UNREADABLE, read_back
from tracesplice_cli.doctor._release import release_finding
from tracesplice_view import LangfuseReader, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from tracesplice_cli._settings import Settings
    from tracesplice_cli.doctor._gateway import Seen
    from tracesplice_cli.doctor._probe import Call

__all__ = ["chosen_model", "probe"]

_MANY = 20
_PROBE = "  tracesplice doctor --probe --model"
_NAME = f"If you know of one, type:\n{_PROBE} NAME"
_BUSY = "It is busy, or has too many requests. Whether the calls arrived is not known. Try again:"
_BOTH = "It needs a gateway and a Langfuse that take their keys: mend what is above first."


def chosen_model(models: Sequence[str], asked: str | None) -> str:
    """The model that was asked for, or the only one there is.

    Raises:
        click.UsageError: There is no such model, or a choice; the message has the list.
    """
    # A name such as `openai/*` stands for many, and is none itself.
    named = [name for name in models if "*" not in name]
    if asked is not None and (asked in named or len(named) < len(models) or not models):
        return asked
    if asked is None and len(named) == 1:
        return named[0]
    what = "Which model?" if asked is None else f"The gateway has no model {asked!r}."
    if not named:
        raise click.UsageError(f"{what} The gateway names none that this key may call. {_NAME}")
    names = "\n".join(f"{_PROBE} {_typed(name)}" for name in named[:_MANY])
    raise click.UsageError(f"{what} Type one of:\n{names}")


def _typed(name: str) -> str:
    # It is the server's, and it is to be copied into a shell.
    return shlex.quote(printable(name))


def probe(
    seen: Seen,
    settings: Settings,
    langfuse: Sequence[Finding],
    model: str | None,
    wait: float,
    progress: Console,
) -> list[Finding]:
    """Make the calls and judge them.

    Args:
        seen: The gateway.
        settings: The servers and keys.
        langfuse: What was found of Langfuse.
        model: The model that was asked for; None for the only one.
        wait: How many seconds Langfuse gets to show the calls.
        progress: Where to say what is being waited for.

    Raises:
        click.UsageError: It is not clear which model to call.
    """
    if not seen.url or any(finding.state == "problem" for finding in langfuse):
        return [unknown("probe.calls", "The probe was not made.", _BOTH)]
    name = chosen_model(seen.models, model)
    try:
        with step(progress, f"Calling {printable(name)} twice, once for each way of a link"):
            calls = make_calls(seen.url, seen.key, name, settings.public_key.value)
    except Unreachable as error:
        what = f"The gateway did not answer the call ({error})."
        return [unknown("probe.calls", what, "It may be slow. Its log may say more.")]
    release = calls[0].answer.headers.get("x-litellm-version")
    found = []
    if release and seen.version is None:
        found = [replace(release_finding(release), check="probe.version")]
    return [*found, *_judged(calls, seen, settings, wait, progress)]


def _judged(
    calls: list[Call], seen: Seen, settings: Settings, wait: float, progress: Console
) -> list[Finding]:
    failed = judge_failures(calls)
    if failed:
        return failed
    with step(progress, f"Waiting for Langfuse to show them, up to {wait:g} s") as say:
        reader = LangfuseReader(
            settings.langfuse.value,
            settings.public_key.value,
            settings.secret_key.value,
            patience=wait,
            waiting=lambda pause: say(f"it has too many requests; going on in {pause:.0f} s"),
        )

        def tell(missing: int, left: float) -> None:
            say(f"{missing} missing, {max(left, 0):.0f} s left")

        try:
            where = read_back(reader, calls, wait, tell)
        except UNREADABLE as error:
            what = f"Langfuse cannot be read after {wait:g} s ({reason(error)})."
            return [unknown("probe.calls", what, _BUSY, "tracesplice doctor --probe")]
    return judge_calls(calls, where, seen.callbacks, wait)
