"""HTTP to the servers the user names, through the user's proxy settings."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracesplice_cli._failed import reason
from tracesplice_view import opener
from tracesplice_wire import shown_url

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answer", "Unreachable", "address", "ask", "bearer"]

_TIMEOUT_SECONDS = 20.0
_MAX_BYTES = 4_000_000


class Unreachable(Exception):  # noqa: N818 - what happened, to be told in words
    """Nobody answered; the text says how it failed."""


@dataclass(frozen=True)
class Answer:
    """One answer, whatever its status; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's value; None if it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def field(self, name: str) -> Any:
        """A field of the JSON object that the body is; None if there is none."""
        value = self.json
        return value.get(name) if isinstance(value, dict) else None


def address(url: str) -> str:
    """A URL as it may be shown: without user, password and query."""
    return shown_url(url).strip("'")


def bearer(key: str) -> dict[str, str]:
    """The header of a gateway's key; none without a key."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def ask(
    url: str,
    headers: Mapping[str, str] | None = None,
    body: object = None,
    timeout: float = _TIMEOUT_SECONDS,
) -> Answer:
    """GET `url`, or POST it JSON. Redirects are not followed. Timeout in seconds.

    Raises:
        Unreachable: No server answered.
    """
    sent = dict(headers or {})
    data = None
    if body is not None:
        sent["Content-Type"], data = "application/json", json.dumps(body).encode()
    try:
        request = urllib.request.Request(url, data, sent)
        try:
            with opener().open(request, timeout=timeout) as answer:
                return _answer(answer.status, answer)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Unreachable(reason(error)) from None


def _answer(status: int, answer: Any) -> Answer:
    found = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(status, found, answer.read(_MAX_BYTES))
