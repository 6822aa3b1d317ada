"""The command: looks at one group after the other, and prints each as it is done."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, NamedTuple

import click
from rich.console import Console

from tracesplice_cli._progress import step
from tracesplice_cli._settings import KEY_VARIABLE, settings_from
from tracesplice_cli.doctor._application import application_findings
from tracesplice_cli.doctor._environment import environment_findings
from tracesplice_cli.doctor._gateway import see_gateway
from tracesplice_cli.doctor._langfuse import langfuse_findings
from tracesplice_cli.doctor._packages import package_findings
from tracesplice_cli.doctor._probing import probe
from tracesplice_cli.doctor._show import as_json, show, show_summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracesplice_cli._settings import Settings
    from tracesplice_cli.doctor._finding import Finding

__all__ = ["doctor"]

_WAIT_SECONDS = 60.0


@click.command(
    short_help="Say what keeps calls from being one trace, and what to type.",
    help="Look at what keeps calls from being one trace, and say what to type. "
    "Exit code: 0 nothing to mend, 1 something to mend, 2 the doctor could not look.",
)
@click.option("--gateway", metavar="URL", help="The gateway; else LITELLM_PROXY_API_BASE.")
@click.option("--key-variable", metavar="NAME", help=f"What has its key; else {KEY_VARIABLE}.")
@click.option("--app", metavar="MODULE[:FUNCTION]", help="Import it, and look at what it sets up.")
@click.option("--probe", "probed", is_flag=True, help="Call a model twice, and read it back.")
@click.option("--model", metavar="NAME", help="The model of --probe; else the only one.")
@click.option(
    "--wait",
    type=click.FloatRange(0),
    default=_WAIT_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="Seconds Langfuse gets to show them.",
)
@click.option("--json", "as_json_", is_flag=True, help="Print JSON, for machines.")
def doctor(
    gateway: str | None,
    key_variable: str | None,
    app: str | None,
    probed: bool,
    model: str | None,
    wait: float,
    as_json_: bool,
) -> None:
    """Print the findings; exit with 1 if one is to be mended."""
    _refuse(key_variable, None if probed else model)
    settings = settings_from(os.environ, gateway, key_variable)
    report = _Report(quiet=as_json_)
    try:
        _look(report, settings, app, _Probe(model, wait) if probed else None)
    except click.UsageError:
        report.end(done=False)
        raise
    except Exception as error:
        report.end(done=False)
        raise _Failed(f"The doctor itself failed: {type(error).__name__}: {error}") from error
    report.end()
    sys.exit(any(finding.state == "problem" for finding in report.findings))


def _refuse(key_variable: str | None, model: str | None) -> None:
    # The key itself, which may not be shown.
    if key_variable is not None and not key_variable.isidentifier():
        raise click.UsageError(
            "--key-variable takes the name of the variable that has the key, not the key. Type:\n"
            f"  export {KEY_VARIABLE}=sk-...\n  tracesplice doctor"
        )
    if model is not None:
        raise click.UsageError(
            "--model is the model of a probe. Type:\n"
            f"  tracesplice doctor --probe --model {shlex.quote(model)}"
        )


class _Failed(click.ClickException):
    """A fault of the doctor's own."""

    exit_code = 2


class _Probe(NamedTuple):
    model: str | None
    wait: float


def _look(report: _Report, settings: Settings, app: str | None, probed: _Probe | None) -> None:
    progress = Console(stderr=True)
    report.add("Environment", environment_findings(os.environ))
    report.add("Packages", package_findings())
    if app:
        with step(progress, f"Importing {app}"):
            found = list(application_findings(app, settings))
        report.add("Application", found)
    with step(progress, "Asking Langfuse"):
        langfuse = langfuse_findings(settings)
    report.add("Langfuse", langfuse)
    with step(progress, "Asking the gateway"):
        seen = see_gateway(settings, probed=probed is not None)
    report.add("Gateway", seen.findings)
    if probed:
        report.add("Probe", probe(seen, settings, langfuse, *probed, progress))


class _Report:
    """What was found so far, printed as it comes unless it is to be JSON."""

    def __init__(self, *, quiet: bool) -> None:
        self.findings: list[Finding] = []
        self._console = None if quiet else Console()

    def add(self, title: str, findings: Iterable[Finding]) -> None:
        group = list(findings)
        self.findings += group
        if self._console is not None:
            show(self._console, title, group)

    def end(self, *, done: bool = True) -> None:
        if self._console is None:
            click.echo(as_json(self.findings))
        elif done:
            show_summary(self._console, self.findings)
