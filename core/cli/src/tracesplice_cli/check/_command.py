"""The command: one trace with what belongs to it, or the newest ones in a table."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from tracesplice_cli._progress import step
from tracesplice_cli.check._asked import UnreadableError, project_from, trace_id_of
from tracesplice_cli.check._newest import show_newest, totals
from tracesplice_cli.check._reading import Langfuse
from tracesplice_cli.check._shown import show
from tracesplice_view import as_json, html, svg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracesplice_view import Judged

__all__ = ["check"]

_WAIT_SECONDS = 10.0
_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command(
    short_help="Say of each call in a trace what holds, and what does not.",
    help="Read a trace back from Langfuse, draw it, and say of each call what holds and what does "
    "not. TRACE is its id, or the address of its page. "
    "Exit code: 0 unified, 1 not unified, 2 it could not be read.",
)
@click.argument("trace", required=False)
@click.option(
    "--last", type=click.IntRange(1, 1000), metavar="N", help="Judge the newest N traces."
)
@click.option(
    "--wait",
    type=click.FloatRange(0),
    default=_WAIT_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="Seconds that a trace, or a part of it, gets to arrive.",
)
@click.option("--html", "page", type=_FILE, metavar="FILE", help="Write a page, too.")
@click.option("--svg", "picture", type=_FILE, metavar="FILE", help="Write a picture, too.")
@click.option("--json", "as_json_", is_flag=True, help="Print JSON, for machines.")
def check(
    trace: str | None,
    last: int | None,
    wait: float,
    page: Path | None,
    picture: Path | None,
    as_json_: bool,
) -> None:
    """Print what was found; exit with 1 if a call is not unified."""
    if (trace is None) is (last is None) or (trace is not None and not trace.strip()):
        raise click.UsageError("Type the id of a trace, or --last N, and not both.")
    if last is not None and picture is not None:
        raise click.UsageError("A picture is of one trace. Type --html FILE, or a trace's id.")
    project = project_from(os.environ)
    console, progress = Console(), Console(stderr=True)
    with step(progress, f"Reading from {project.url}") as tell:
        langfuse = Langfuse(project, lambda text: progress.print(Text(f"… {text}")))
        if trace is None:
            found = langfuse.newest(last or 0)
        else:
            found = [langfuse.check(trace_id_of(trace, project), wait, tell)]
    if as_json_:
        click.echo(json.dumps(_for_machines(found, of_one=trace is not None), indent=2))
    elif trace is None:
        show_newest(console, langfuse.name, found)
    else:
        show(console, found[0])
    _write(page, html(_headed(found)) if page else "", console, quiet=as_json_)
    _write(picture, svg(found[0]) if picture else "", console, quiet=as_json_)
    # Among the newest may be traces without a call.
    sys.exit(any(each.wrong for each in found if each.calls or trace))


def _for_machines(found: list[Judged], *, of_one: bool) -> dict[str, object]:
    if of_one:
        return as_json(found[0])
    return {"totals": totals(found), "groups": [as_json(each) for each in found]}


def _headed(found: list[Judged]) -> Judged | Mapping[str, Judged]:
    if len(found) == 1:
        return found[0]
    return {f"{each.traces[0].name or 'no name'} · {each.traces[0].id}": each for each in found}


def _write(file: Path | None, text: str, console: Console, *, quiet: bool) -> None:
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    except OSError as error:
        raise UnreadableError(
            f"{file} cannot be written: {error.strerror}. Name another."
        ) from None
    if not quiet:
        console.print(f"Wrote {file}", markup=False, highlight=False, soft_wrap=True)
