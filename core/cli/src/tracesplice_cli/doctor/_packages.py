"""The packages here: each adapter, and each package in the window that its adapter names."""

from __future__ import annotations

from importlib.metadata import distribution, version
from typing import TYPE_CHECKING

from tracesplice._advice import install_commands
from tracesplice._hooks import installed_adapters
from tracesplice._plugins import unmet
from tracesplice_cli.doctor._finding import Finding, ok, problem, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracesplice._plugins import Adapter

__all__ = ["package_findings"]

_OTHER = "Calls of what it splices are not linked. The other adapters work."


def package_findings() -> Iterator[Finding]:
    """Yield what is installed in this environment."""
    yield _core()
    found = installed_adapters().found
    if not found:
        why = "tracesplice.splice() and instrument() have nothing to work with. Install one:"
        what = "No adapter is installed in this environment."
        yield problem("packages.adapters", what, why, *install_commands())
    yield from map(_adapter, found)


def _core() -> Finding:
    # Langfuse's SDK among them.
    wrong = unmet(distribution("tracesplice"))
    if wrong is None:
        what = f"tracesplice {version('tracesplice')} with langfuse {version('langfuse')}."
        return ok("packages.tracesplice", what)
    what, _, command = wrong.partition(": ")
    return problem("packages.tracesplice", f"tracesplice {what}.", _OTHER, command)


def _adapter(adapter: Adapter) -> Finding:
    check, name = f"packages.{adapter.name}", f"The adapter {adapter.name}"
    if adapter.problem is None:
        return ok(check, f"{name} works ({adapter.package} {adapter.version}).")
    what, *commands = _said(adapter.problem)
    if adapter.blocked:
        return unknown(check, f"{name} {what}.", _OTHER, *commands)
    return problem(check, f"{name} {what}.", _OTHER, *commands)


def _said(text: str) -> list[str]:
    """What is wrong, and the commands in it: `...: pip install x`, `...; to leave it out: ...`."""
    what, *ways = text.split("; to ")
    if ways:
        return [what, *(way.partition(": ")[2] for way in ways)]
    said, found, command = text.rpartition(": pip install ")
    return [said, f"pip install {command}"] if found else [text]
