"""Plain HTTP to a gateway, with nothing between: no client library, no proxy, no retry."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

__all__ = ["Reply", "request"]

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Reply:
    """One answer of the gateway, whatever its status."""

    status: int
    headers: Message = field(repr=False)
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def request(
    url: str,
    key: str | None = None,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 60.0,
) -> Reply:
    """GET `url`, or POST it a body: JSON, or bytes as they are. Timeout in seconds.

    Raises `OSError` if nobody answers.
    """
    sent = {"Content-Type": "application/json"}
    if key is not None:
        sent["Authorization"] = f"Bearer {key}"
    sent |= dict(headers or {})
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    call = urllib.request.Request(url, data=data, headers=sent)
    try:
        with _OPENER.open(call, timeout=timeout) as answer:
            return Reply(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, error.read())
