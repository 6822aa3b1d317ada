"""The command and its subcommands."""

from __future__ import annotations

from importlib.metadata import version

import click

from tracesplice_cli._encoding import print_anything
from tracesplice_cli._plugins import plugins
from tracesplice_cli.check import check
from tracesplice_cli.doctor import doctor

__all__ = ["command"]


@click.group(help="One trace for calls through a LiteLLM gateway into Langfuse.")
@click.version_option(version("tracesplice"), prog_name="tracesplice")
def command() -> None:
    """Hold the subcommands."""
    print_anything()


command.add_command(plugins)
command.add_command(doctor)
command.add_command(check)
