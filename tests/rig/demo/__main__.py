"""`python -m rig.demo`: exit code 0 if all holds of the spliced calls, 1 if not, 2 on a problem."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from rig.demo._programs import PROGRAMS, Program
from rig.demo._progress import end_as_by_ctrl_c, new_console, step
from rig.demo._settings import DemoError, settings_from
from rig.demo._tree import draw
from tracesplice_testing.gateway import GatewayMode
from tracesplice_view import Judged, advised, html, picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from rig.demo._stage import Stage

UNIFIED, SPLIT, PROBLEM, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; the exit code."""
    options = _options(arguments)
    console = new_console()
    # Retries and late flushes of the SDKs would break into the picture; our errors say more.
    logging.getLogger("langfuse").setLevel(logging.CRITICAL)
    try:
        return _demo(options, console)
    except DemoError as error:
        console.print(Text("✘ ", "bold red") + Text(str(error)), soft_wrap=True)
        return PROBLEM
    except KeyboardInterrupt:
        return INTERRUPTED


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rig.demo", description=__doc__)
    modes = [mode.value for mode in GatewayMode]
    parser.add_argument(
        "--mode", choices=modes, default=modes[0], help="how a gateway that is started reports"
    )
    names = [program.name for program in PROGRAMS]
    parser.add_argument("--program", choices=names, help="only this one")
    pages = Path("build/demo")
    parser.add_argument("--pages", type=Path, default=pages, metavar="FOLDER", help="of the pages")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the picture too")
    return parser.parse_args(arguments)


def _demo(options: argparse.Namespace, console: Console) -> int:
    settings = settings_from(os.environ)
    chosen = [p for p in PROGRAMS if options.program in (None, p.name)]
    if options.svg is not None and len(chosen) > 1:
        raise DemoError("A picture is of one program. Type --program NAME before --svg FILE.")
    with step(console, "Loading the SDKs"):
        from rig.demo._stage import set_up

        for program in chosen:
            program.load()
    with set_up(settings, GatewayMode(options.mode), console) as stage:
        unified = [_show(stage, program, console, options) for program in chosen]
    return UNIFIED if all(unified) else SPLIT


def _show(stage: Stage, program: Program, console: Console, options: argparse.Namespace) -> bool:
    """Run one program twice and draw it; whether it came out as one trace."""
    before, after = (_judged(stage, program, console, spliced) for spliced in (False, True))
    console.print(f"\n[bold]{program.title}[/]: one call, as Langfuse shows it\n")
    console.print(draw(console, program.made, before, after))
    for line in [*advised(after), *_remarks(stage)]:
        console.print(line)
    title = f"{program.title}: before and after tracesplice"
    page = html({"Before": before, "After": after}, title=title)
    _write(options.pages / f"{program.name}.html", page, console)
    if options.svg is not None:
        fixed = _same_each_time(before, "0"), _same_each_time(after, "1")
        _write(options.svg, picture(title, lambda wide: draw(wide, program.made, *fixed)), console)
    return not after.wrong


def _judged(stage: Stage, program: Program, console: Console, spliced: bool) -> Judged:
    from rig.demo._read_back import run_program

    done = "after splicing" if spliced else "before splicing"
    with step(console, f"{program.title} {done}: making a call and reading its traces back"):
        run = run_program(stage, program, spliced=spliced)
        return Judged(run.traces, prompt=stage.prompt, read_back=True)


def _same_each_time(judged: Judged, seed: str) -> Judged:
    return dataclasses.replace(judged, traces=judged.run.same_each_time(seed).traces)


def _write(file: Path, text: str, console: Console) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    console.print(f"Wrote {file}", markup=False, soft_wrap=True)


def _remarks(stage: Stage) -> list[Text]:
    remarks = []
    settings = stage.settings
    if settings.gateway is None and settings.ollama is None:
        remarks.append(Text("Tokens and prices are made up by the demo's stand-ins.", "dim"))
    elif settings.langfuse is None:
        remarks.append(Text("Prices are made up by the demo's stand-in for Langfuse.", "dim"))
    if settings.gateway is not None and settings.ollama is not None:
        remarks.append(Text("OLLAMA_BASE_URL is not used: your gateway has its own models."))
    return remarks


if __name__ == "__main__":
    end_as_by_ctrl_c()
    sys.exit(main())
