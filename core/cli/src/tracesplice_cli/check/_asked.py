"""Which trace of which project is to be looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import click

from tracesplice_cli._settings import LANGFUSE_CLOUD, exports, settings_from

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Project", "UnreadableError", "indented", "project_from", "trace_id_of"]


class UnreadableError(click.ClickException):
    """Langfuse could not be read; the message says what to type."""

    exit_code = 2


@dataclass(frozen=True)
class Project:
    """A project in Langfuse: its server's address, the variable that says it, and its keys."""

    url: str
    variable: str
    public_key: str
    secret_key: str = field(repr=False)


def project_from(environment: Mapping[str, str]) -> Project:
    """The project that Langfuse's SDK would report to.

    Args:
        environment: As `os.environ`.

    Raises:
        UnreadableError: A key is missing, or the address is none.
    """
    settings = settings_from(environment)
    variable, url = settings.langfuse.source, settings.langfuse.value
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise UnreadableError(
            f"{variable} is not the address of a server. Type:\n"
            f"  export {variable}={LANGFUSE_CLOUD}\n"
            "or the address of your own, such as http://localhost:3000."
        )
    keys = (settings.public_key, settings.secret_key)
    missing = [key.source for key in keys if not key.value]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise UnreadableError(
            f"{' and '.join(missing)} {are} not set. Type, with the keys of the project that the "
            f"application reports to:\n{indented(*missing)}"
        )
    return Project(url.rstrip("/"), variable, *(key.value for key in keys))


def indented(*names: str) -> str:
    """The lines to type that set these variables, as they stand in a message."""
    return "\n".join(f"  {line}" for line in exports(*names))


def trace_id_of(text: str, project: Project) -> str:
    """The id of a trace, from itself or from the address of its page.

    Raises:
        UnreadableError: The address is of another server than the project's, or of no trace.
    """
    if "://" not in text:
        return text.strip()
    page = urlsplit(text)
    if page.netloc != urlsplit(project.url).netloc:
        server = f"{page.scheme}://{page.netloc}"
        raise UnreadableError(
            f"That trace is at {server}, and {project.url} is what {project.variable} says. "
            f"Type:\n  export LANGFUSE_BASE_URL={server}\n{indented()}"
        )
    found = _in_path(page) or _in_query(page)
    if not found:
        raise UnreadableError(
            "That is the address of no trace: it has to be like "
            f"{project.url}/project/.../traces/TRACE_ID.\n"
            "Open the trace in Langfuse and copy the address, or type its id."
        )
    return found


def _in_path(page: SplitResult) -> str | None:
    parts = page.path.split("/")
    places = [number for number, part in enumerate(parts[:-1]) if part in ("trace", "traces")]
    return unquote(parts[places[-1] + 1]) or None if places else None


def _in_query(page: SplitResult) -> str | None:
    """Where a list of traces shows one beside it."""
    query = parse_qs(page.query)
    return next((query[name][0] for name in ("traceId", "peek") if name in query), None)
