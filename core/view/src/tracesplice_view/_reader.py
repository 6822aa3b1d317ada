"""Reads traces back over Langfuse's public HTTP API alone, from the recorder or a real server.

https://api.reference.langfuse.com (the v2 observations, where the server has them, else the
older endpoint; what a trace says of itself from the traces endpoint).
"""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from tracesplice_view._model import Observation, Trace, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_FIELDS = "core,basic,io,metadata,model,usage,prompt,trace_context"
_LIMIT = 100
_TIMEOUT_SECONDS = 30
# Unknown to the server, switched off in it, or taken away.
_ABSENT = (404, 405, 410, 501)
_TOO_MANY = 429
_PAUSE = 5.0  # seconds, where the server does not say how many
# What the older endpoint leaves to the trace.
_OF_TRACE = ("userId", "sessionId", "tags")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The keys are for this server alone; urllib would send them on."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects())


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
        keys = base64.b64encode(f"{public_key}:{secret_key}".encode()).decode()
        self._headers = {"Authorization": f"Basic {keys}"}

    def trace(self, trace_id: str) -> Trace | None:
        """The trace as it is now, or None while the server shows none of its observations."""
        rows = [row for page in self._pages({"traceId": trace_id}) for row in page]
        if not rows:
            return None
        path = f"/api/public/traces/{urllib.parse.quote(trace_id, safe='')}"
        return _trace(trace_id, rows, self._get(path, {"fields": "core,io"}) or {})

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
                traces[id_] = _trace(id_, met[id_], {})
            yield [*traces.values()]

    def project(self) -> str | None:
        """The project's name; None if no Langfuse answers at this address."""
        found = self._get("/api/public/projects")
        projects = found.get("data") if isinstance(found, dict) else None
        if not isinstance(projects, list) or not projects or not isinstance(projects[0], dict):
            return None
        return str(projects[0].get("name") or projects[0].get("id") or "")

    def trace_ids(self, which: Mapping[str, str]) -> list[str]:
        """The traces with an observation that `which` asks for, in the words of both endpoints."""
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
        page = self._get("/api/public/v2/observations", newer)
        if page is None:
            yield from self._older_pages(query)
            return
        while page:
            yield page["data"]
            cursor = page["meta"].get("cursor")
            page = cursor and self._get("/api/public/v2/observations", newer | {"cursor": cursor})

    def _older_pages(self, query: Mapping[str, str]) -> Iterator[list[dict[str, Any]]]:
        number = 0
        while True:
            number += 1
            page = self._get("/api/public/observations", {**query, "page": str(number)})
            if page is None:
                return
            self.says_who = False
            yield page["data"]
            if number >= page["meta"]["totalPages"]:
                return

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The answer's JSON; None if the server has no such thing."""
        suffix = "?" + urllib.parse.urlencode(query) if query else ""
        request = urllib.request.Request(self._base_url + path + suffix, headers=self._headers)
        while True:
            try:
                with _OPENER.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                    return json.load(answer)
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


def _pause(error: urllib.error.HTTPError) -> float | None:
    """How long the server wants to be left alone, in seconds; None if it does not."""
    if error.code != _TOO_MANY:
        return None
    after = error.headers.get("Retry-After", "")
    return max(float(after), 1.0) if after.isdigit() else _PAUSE


def _trace(trace_id: str, rows: list[dict[str, Any]], told: Mapping[str, Any]) -> Trace:
    said = told or _said_by(rows)
    of_all = {name: said.get(name) for name in _OF_TRACE}
    # Pages that are counted move on as observations arrive, and show some of them twice.
    once = {row["id"]: {**of_all, **row} for row in rows}.values()
    observations = tuple(sorted(map(_observation, once), key=lambda o: (o.start, o.id)))
    return Trace(
        id=trace_id,
        name=said.get("name") or None,
        user_id=said.get("userId") or None,
        session_id=said.get("sessionId") or None,
        tags=tuple(said.get("tags") or ()),
        environment=said.get("environment") or "default",
        input=parsed(said.get("input")),
        output=parsed(said.get("output")),
        observations=observations,
        project=observations[0].project,
    )


def _observation(row: Mapping[str, Any]) -> Observation:
    metadata = {key: parsed(value) for key, value in (row.get("metadata") or {}).items()}
    resource, scope = metadata.get("resourceAttributes"), metadata.get("scope")
    # The newer storage repeats the name as it was sent; only an id says that it was found.
    linked = bool(row.get("promptId"))
    end = row.get("endTime")
    return Observation(
        id=row["id"],
        trace_id=row.get("traceId") or "",
        parent_id=row.get("parentObservationId") or None,
        name=row.get("name") or "",
        type=row["type"],
        start=_time(row["startTime"]),
        end=_time(end) if end else None,
        model=row.get("model") or row.get("providedModelName") or None,
        input=parsed(row.get("input")),
        output=parsed(row.get("output")),
        level=row.get("level") or "DEFAULT",
        status_message=row.get("statusMessage") or None,
        usage={key: int(value) for key, value in (row.get("usageDetails") or {}).items()},
        cost=_cost(row),
        prompt_name=row.get("promptName") if linked else None,
        prompt_version=row.get("promptVersion") if linked else None,
        user_id=row.get("userId") or None,
        session_id=row.get("sessionId") or None,
        tags=tuple(row.get("tags") or ()),
        environment=row.get("environment") or "default",
        metadata=metadata,
        scope=str(scope.get("name", "")) if isinstance(scope, dict) else "",
        service=str(resource.get("service.name", "")) if isinstance(resource, dict) else "",
        project=row.get("projectId") or "",
    )


def _cost(row: Mapping[str, Any]) -> float:
    costs = (row.get("totalCost"), row.get("calculatedTotalCost"))
    given = next((cost for cost in costs if cost is not None), None)
    return float(given if given is not None else (row.get("costDetails") or {}).get("total") or 0)


def _time(value: str) -> datetime:
    return datetime.fromisoformat(value.replace("Z", "+00:00"))


def _asked(time: datetime) -> str:
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _said_by(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A trace's own fields from its observations, for a server without the traces endpoint."""
    said: dict[str, Any] = {"tags": sorted({tag for row in rows for tag in row.get("tags") or ()})}
    for ours, theirs in (("name", "traceName"), ("userId", "userId"), ("sessionId", "sessionId")):
        said[ours] = next((row[theirs] for row in rows if row.get(theirs)), None)
    root = next((row for row in rows if not row.get("parentObservationId")), {})
    return said | {key: root.get(key) for key in ("input", "output", "environment")}
