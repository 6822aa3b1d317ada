"""Langfuse: does it answer, and does it take the keys?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice_cli._http import Unreachable, address, ask
from tracesplice_cli._settings import exports
from tracesplice_cli.doctor._finding import Finding, masked, ok, problem, unknown
from tracesplice_view import basic

if TYPE_CHECKING:
    from tracesplice_cli._settings import Settings

__all__ = ["langfuse_findings"]

_KEYS = "Without both keys Langfuse's SDK reports nothing, and says so in a warning only."
_SWAPPED = "They are each in the other's variable."
_PROJECT = "Project settings, API keys: both keys must be of one project of this server."


def langfuse_findings(settings: Settings) -> list[Finding]:
    """Ask the server that Langfuse's SDK would report to."""
    server = _server(settings)
    missing = [key.source for key in (settings.public_key, settings.secret_key) if not key.value]
    if missing:
        what = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set."
        return [server, problem("langfuse.keys", what, _KEYS, *exports(*missing))]
    return [server] if server.state == "problem" else [server, _keys(settings)]


def _server(settings: Settings) -> Finding:
    check, url = "langfuse.server", settings.langfuse.value
    name = f"export {settings.langfuse.source}=http://localhost:3000"
    if not url.startswith(("http://", "https://")):
        what = f"{settings.langfuse.source} is no address: {address(url)}."
        return problem(check, what, "Nothing can be reported there.", name)
    try:
        answer = ask(f"{url.rstrip('/')}/api/public/health")
    except Unreachable as error:
        what = f"No Langfuse answers at {address(url)} ({error})."
        return problem(check, what, _lost(settings), name)
    if answer.field("version") is None or answer.field("status") is None:
        what = f"{address(url)} is no Langfuse (HTTP {answer.status} at /api/public/health)."
        return problem(check, what, _lost(settings), name)
    what = f"Langfuse {answer.field('version')} answers at {address(url)}."
    return ok(check, what)


def _lost(settings: Settings) -> str:
    if settings.langfuse.is_default:
        return f"{settings.langfuse.source} is not set; Langfuse's SDK then reports to its cloud."
    return "Traces sent there are lost."


def _keys(settings: Settings) -> Finding:
    public, secret = settings.public_key.value, settings.secret_key.value
    check, keys = "langfuse.keys", f"{masked(public)} and {masked(secret)}"
    try:
        url = f"{settings.langfuse.value.rstrip('/')}/api/public/projects"
        answer = ask(url, basic(public, secret))
    except Unreachable as error:
        why = "The server answered before."
        return unknown(check, f"Whether the keys are valid is not known ({error}).", why)
    if answer.status in (401, 403):
        what = f"Langfuse refuses the keys {keys} (HTTP {answer.status})."
        swapped = public.startswith("sk-") and secret.startswith("pk-")
        return problem(check, what, _SWAPPED if swapped else _PROJECT, *exports())
    projects = answer.field("data")
    if answer.status != 200 or not isinstance(projects, list) or not projects:
        what = f"Langfuse does not say what the keys are for (HTTP {answer.status})."
        return unknown(check, what, "The server may be busy. Try again.")
    return ok(check, f"Langfuse takes the keys {keys} of project {_name(projects[0])!r}.")


def _name(project: object) -> str:
    return str(project.get("name") or project.get("id")) if isinstance(project, dict) else "?"
