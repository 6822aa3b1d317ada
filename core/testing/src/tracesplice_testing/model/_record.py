"""What the model server received: the proof of what did, and what did not, reach the model."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes

__all__ = ["ReceivedRequest", "RequestLog"]


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as it arrived. Header names are lower case.

    `answered` holds the status of the answer, once there is one.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    answered: list[int] = field(default_factory=list, repr=False, compare=False)

    @property
    def json(self) -> dict[str, object]:
        """The JSON object in the body; empty if the body is anything else."""
        try:
            parsed = json.loads(self.body)
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}

    @property
    def form(self) -> dict[str, str]:
        """The fields of a multipart body; of an uploaded file, its name."""
        kind = self.headers.get("content-type", "")
        if not kind.startswith("multipart/form-data"):
            return {}
        message = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + self.body)
        fields: dict[str, str] = {}
        for part in message.walk():
            name = part.get_param("name", header="content-disposition")
            if isinstance(name, str):
                payload = part.get_payload(decode=True)
                text = payload.decode(errors="replace") if isinstance(payload, bytes) else ""
                fields[name] = part.get_filename() or text
        return fields

    @property
    def text(self) -> str:
        """Everything sent, headers included, as one searchable string."""
        lines = [f"{name}: {value}" for name, value in self.headers.items()]
        return "\n".join([f"{self.method} {self.path}", *lines, self.body.decode(errors="replace")])


class RequestLog:
    """The requests so far, and the keys whose one failure has been spent. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[ReceivedRequest] = []
        self._spent: set[str] = set()

    def add(self, request: ReceivedRequest) -> None:
        """Keep one more request."""
        with self._lock:
            self._requests.append(request)

    def all(self) -> list[ReceivedRequest]:
        """A copy of the list, in order of arrival."""
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        """Forget the requests and the spent failures."""
        with self._lock:
            self._requests.clear()
            self._spent.clear()

    def spend(self, key: str) -> bool:
        """Whether this is the first time `key` is asked for."""
        with self._lock:
            first = key not in self._spent
            self._spent.add(key)
            return first
