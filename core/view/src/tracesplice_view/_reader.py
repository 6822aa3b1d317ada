"""Reads traces back over Langfuse's public HTTP API alone, from the recorder or a real server.

https://api.reference.langfuse.com (the v2 observations, where the server has them, else the
older endpoint; what a trace says of itself from the traces endpoint).
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import timezone
from typing import TYPE_CHECKING, Any

from tracesplice_view._http import basic, opener
from tracesplice_view._rows import trace_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from tracesplice_view._model import Trace

__all__ = ["LangfuseReader", "NotLangfuseError", "TraceNotReadyError"]

_FIELDS = "core,basic,io,metadata,model,usage,prompt,trace_context"
_PAGE = ("data", "meta")
_LIMIT = 100
_TIMEOUT_SECONDS = 30
# Unknown to the server, switched off in it, or taken away.
_ABSENT = (404, 405, 410, 501)
_TOO_MANY = 429
_PAUSE = 5.0  # seconds, where the server does not say how many


class NotLangfuseError(ValueError):
    """What answered is not Langfuse, or what passes its answers on changed them."""


class TraceNotReadyError(AssertionError):
    """The trace did not come to what was asked of it in time; the text shows what there was."""


class LangfuseReader:
    """Reads with one project's keys; `estimated` and `attributes` are not in the API.

    Args:
        base_url: The server's address.
        public_key: The project's public key.
        secret_key: The project's secret key.
        patience: How long to wait in all, in seconds, where the server has too many requests.
        waiting: Is told of each such pause, in seconds.

    Attributes:
        says_who: Whether the server says user, session and tags of each observation, not of
            traces alone; as far as it was asked.
    """

    def __init__(
        self,
        base_url: str,
        public_key: str,
        secret_key: str,
        *,
        patience: float = 0.0,
        waiting: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.says_who = True
        self._patience, self._waiting = patience, waiting
        self._base_url = base_url.rstrip("/")
        self._headers = basic(public_key, secret_key)
        self._opener = opener()

    def trace(self, trace_id: str) -> Trace | None:
        """The trace as it is now, or None while the server shows none of its observations."""
        rows = [row for page in self._pages({"traceId": trace_id}) for row in page]
        if not rows:
            return None
        path = f"/api/public/traces/{urllib.parse.quote(trace_id, safe='')}"
        told = self._get(path, {"fields": "core,io"})
        return trace_of(trace_id, rows, told if isinstance(told, dict) else {})

    def newest(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        kind: str | None = None,
    ) -> Iterator[list[Trace]]:
        """Traces of the project, as far as their observations were read, newest first.

        Args:
            since: When their observations start at the earliest.
            until: When they start at the latest.
            kind: The type of the observations to read, such as "GENERATION"; all without it.

        Yields:
            All traces that were met so far, after each page of observations.
        """
        asked = {"fromStartTime": since, "toStartTime": until}
        query = {name: _asked(time) for name, time in asked.items() if time is not None}
        met: dict[str, list[dict[str, Any]]] = {}
        traces: dict[str, Trace] = {}
        for page in self._pages({**query, "type": kind} if kind else query):
            placed = [row for row in page if row.get("traceId")]
            for row in placed:
                met.setdefault(row["traceId"], []).append(row)
            # The others are as they were.
            for id_ in dict.fromkeys(row["traceId"] for row in placed):
                traces[id_] = trace_of(id_, met[id_], {})
            yield [*traces.values()]

    def project(self) -> str | None:
        """The project's name; None if no Langfuse answers at this address."""
        found = self._get("/api/public/projects")
        projects = found.get("data") if isinstance(found, dict) else None
        if not isinstance(projects, list) or not projects or not isinstance(projects[0], dict):
            return None
        return str(projects[0].get("name") or projects[0].get("id") or "")

    def trace_ids(self, user_id: str, since: datetime) -> list[str]:
        """The traces with an observation of a user that starts no earlier."""
        which = {"userId": user_id, "fromStartTime": _asked(since)}
        rows = (row for page in self._pages(which) for row in page)
        return list(dict.fromkeys(row["traceId"] for row in rows if row["traceId"]))

    def wait_for_trace(
        self,
        trace_id: str,
        ready: Callable[[Trace], bool],
        *,
        timeout: float = 60.0,
        interval: float = 1.0,
    ) -> Trace:
        """The trace once `ready` holds: a real server stores late. Both times in seconds."""
        deadline = time.monotonic() + timeout
        while True:
            trace = self.trace(trace_id)
            if trace is not None and ready(trace):
                return trace
            if time.monotonic() + interval > deadline:
                shown = trace.tree() if trace else f"no trace {trace_id}"
                raise TraceNotReadyError(f"not within {timeout:g} s:\n{shown}")
            time.sleep(interval)

    def _pages(self, which: Mapping[str, str]) -> Iterator[list[dict[str, Any]]]:
        query = {**which, "limit": str(_LIMIT)}
        newer = query | {"fields": _FIELDS, "expandMetadata": "resourceAttributes,scope"}
        page = self._page("/api/public/v2/observations", newer)
        if page is None:
            yield from self._older_pages(query)
        while page is not None:
            rows, about = page
            yield rows
            if not (cursor := about.get("cursor")):
                return
            page = self._page("/api/public/v2/observations", newer | {"cursor": cursor})

    def _older_pages(self, query: Mapping[str, str]) -> Iterator[list[dict[str, Any]]]:
        number = 0
        while True:
            number += 1
            page = self._page("/api/public/observations", {**query, "page": str(number)})
            if page is None:
                return
            self.says_who = False
            rows, about = page
            yield rows
            if number >= about.get("totalPages", 0):
                return

    def _page(
        self, path: str, query: Mapping[str, str]
    ) -> tuple[list[dict[str, Any]], dict[str, Any]] | None:
        """A page of rows, and what is said of it; None if the server has no such pages."""
        answer = self._get(path, query)
        if answer is None:
            return None
        rows, about = (answer.get(name) if isinstance(answer, dict) else None for name in _PAGE)
        if not isinstance(rows, list) or not isinstance(about, dict):
            raise NotLangfuseError(f"{path} is answered with no page of observations")
        return rows, about

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The answer's JSON; None if the server has no such thing."""
        suffix = "?" + urllib.parse.urlencode(query) if query else ""
        request = urllib.request.Request(self._base_url + path + suffix, headers=self._headers)
        while True:
            try:
                with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                    return _value(answer.read())
            except urllib.error.HTTPError as error:
                with error:
                    if error.code in _ABSENT:
                        return None
                    pause = _pause(error)
                    if pause is None or pause > self._patience:
                        raise
            self._patience -= pause
            self._waiting(pause)
            time.sleep(pause)


def _value(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:  # no JSON, or not even text
        raise NotLangfuseError("no JSON") from None


def _pause(error: urllib.error.HTTPError) -> float | None:
    """How long the server wants to be left alone, in seconds; None if it does not."""
    if error.code != _TOO_MANY:
        return None
    after = error.headers.get("Retry-After", "")
    return max(float(after), 1.0) if after.isdigit() else _PAUSE


def _asked(time: datetime) -> str:
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
