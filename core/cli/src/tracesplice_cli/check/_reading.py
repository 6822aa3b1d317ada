"""Reads what is to be judged from Langfuse; what goes wrong there is said with what to type."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tracesplice_cli._failed import reason
from tracesplice_cli.check._asked import Project, UnreadableError, indented
from tracesplice_cli.doctor._probe import MARK
from tracesplice_view import (
    Judged,
    LangfuseReader,
    NotLangfuseError,
    newest,
    printable,
    whole,
)
from tracesplice_wire import shown_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracesplice_view import Trace

__all__ = ["Langfuse"]

_INTERVAL, _LONGEST = 1.0, 5.0  # seconds
_PATIENCE = 120.0  # seconds, with a server that has too many requests
_ID = re.compile("[0-9a-f]{32}")
_SETTLED = timedelta(minutes=1)  # nothing more is waited for after it


class Langfuse:
    """One project in Langfuse, that answers and takes the keys.

    Args:
        project: Where it is.
        say: Is told what makes it slow.

    Raises:
        UnreadableError: It does not, here or in any method.
    """

    def __init__(self, project: Project, say: Callable[[str], None]) -> None:
        self._project = project
        self._reader = LangfuseReader(
            project.url,
            project.public_key,
            project.secret_key,
            patience=_PATIENCE,
            waiting=lambda pause: say(f"It has too many requests: going on in {pause:.0f} s"),
        )
        with _reading(project):
            name = self._reader.project()
            if name is None:
                raise NotLangfuseError
        self.name = printable(name, 60)

    def newest(self, count: int) -> list[Judged]:
        """The newest traces but the doctor's, those of the same call together."""
        with _reading(self._project):
            groups = newest(self._reader, count, skip=_is_of_doctor)
        return [Judged(group, read_back=True) for group in groups]

    def check(self, trace_id: str, wait: float, tell: Callable[[str], None]) -> Judged:
        """A trace and what belongs to it, as soon as it has arrived.

        Args:
            trace_id: The trace's id.
            wait: How long to wait for what is missing, in seconds.
            tell: Is told what is waited for.
        """
        deadline, interval = time.monotonic() + wait, _INTERVAL
        while True:
            judged = self._read(trace_id)
            left = deadline - time.monotonic()
            if judged is not None and (left <= 0 or _has_arrived(judged)):
                return judged
            if left <= 0:
                raise UnreadableError(self._missing(trace_id, wait))
            tell(_awaited(judged, left))
            time.sleep(min(interval, left))
            interval = min(1.5 * interval, _LONGEST)

    def _read(self, trace_id: str) -> Judged | None:
        with _reading(self._project):
            trace = self._reader.trace(trace_id)
            return Judged(whole(self._reader, trace), read_back=True) if trace else None

    def _missing(self, trace_id: str, wait: float) -> str:
        shown = printable(trace_id, 80)
        return (
            f"{self._project.url} has no trace {shown} in the project {self.name!r}, "
            f"after {wait:g} s.\n"
            f"{_no_id(trace_id)}"
            "- It has not arrived yet: Langfuse may take a minute, and a program that ends has to "
            "call langfuse.flush(). Type:\n"
            f"  tracesplice check {shown} --wait 60\n"
            "- It is in another project: these keys are of the one above. Type those of the "
            f"other:\n{indented()}\n"
            "- It was not sampled, or it is another id. The newest traces are shown by:\n"
            "  tracesplice check --last 10"
        )


def _no_id(trace_id: str) -> str:
    if _ID.fullmatch(trace_id):
        return ""
    return (
        f"- It is not a whole id: most have 32 characters, 0 to 9 and a to f, and this has "
        f"{len(trace_id)}.\n"
    )


def _is_of_doctor(trace: Trace) -> bool:
    return MARK in (trace.user_id, *(each.user_id for each in trace.observations))


def _has_arrived(judged: Judged) -> bool:
    if not judged.wrong:
        return True
    newest = max(o.end or o.start for trace in judged.traces for o in trace.observations)
    if datetime.now(timezone.utc) - newest > _SETTLED:
        return True
    # LITELLM_OTEL_V2 reports a generation before the server spans around it have ended.
    ids = judged.seen.by_id.keys()
    hanging = [each for each in judged.seen.by_id.values() if each.parent_id not in (None, *ids)]
    calls = judged.calls
    return bool(calls) and not hanging and all(call.own and call.gateway for call in calls)


def _awaited(judged: Judged | None, left: float) -> str:
    what = "the trace" if judged is None else "the other side of its calls"
    return f"Waiting for {what}, up to {left:.0f} s more"


@contextmanager
def _reading(project: Project) -> Iterator[None]:
    try:
        yield
    except urllib.error.HTTPError as error:
        raise UnreadableError(_refused(project, error)) from None
    except NotLangfuseError:
        raise UnreadableError(
            f"What answers at {project.url} is not Langfuse. Type the address that you open "
            f"Langfuse at:\n  export {project.variable}=https://..."
        ) from None
    except RecursionError:
        raise UnreadableError(
            f"What Langfuse at {project.url} answers is nested too deep to be read: it is an input "
            "or an output of one of the project's observations. Look at the trace there."
        ) from None
    except (OSError, http.client.HTTPException) as error:
        raise UnreadableError(
            f"No answer from Langfuse at {project.url}: {printable(reason(error), 200)}.\n"
            f"Is it up?\n  curl {project.url}/api/public/health\n"
            f"Is it elsewhere?\n  export {project.variable}=https://..."
        ) from None


def _refused(project: Project, error: urllib.error.HTTPError) -> str:
    if error.code in (401, 403):
        return (
            f"Langfuse at {project.url} does not take the keys (HTTP {error.code}). Type those of "
            f"the project, which its settings show:\n{indented()}\n"
            "or, if they are of another server or another region of Langfuse Cloud:\n"
            f"  export {project.variable}=https://..."
        )
    if 300 <= error.code < 400:
        place = shown_url(error.headers.get("Location") or "")
        return (
            f"{project.url} sends what asks it to {place}, where the keys are not taken along. "
            f"Type the address that you open Langfuse at:\n  export {project.variable}=https://..."
        )
    if error.code == 429:
        after = printable(error.headers.get("Retry-After") or "60", 10)
        return (
            f"Langfuse at {project.url} had too many requests (HTTP 429). "
            f"Type the same again in {after} s."
        )
    return (
        f"Langfuse at {project.url} answers with HTTP {error.code}. Look at its log, or type the "
        f"same again later;\nits state:\n  curl {project.url}/api/public/health"
    )
