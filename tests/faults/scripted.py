"""An HTTP server whose answers a test writes down, byte by byte where it wants to."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ANSWER", "CHUNKS", "OK", "Reply", "Scripted", "Seen", "moved"]

ANSWER: dict[str, Any] = {
    "id": "x",
    "object": "chat.completion",
    "created": 0,
    "model": "m",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}
    ],
}
CHUNKS = "".join(
    "data: "
    + json.dumps(
        {
            "id": "x",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": "m",
            "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": end}],
        }
    )
    + "\n\n"
    for text, end in (("h", None), ("i", "stop"))
)

MESSAGE: dict[str, Any] = {
    "id": "x",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 2},
}
_DELTA = {"type": "content_block_delta", "index": 0}
EVENTS: tuple[dict[str, Any], ...] = (
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    *({**_DELTA, "delta": {"type": "text_delta", "text": text}} for text in ("h", "i")),
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 2},
    },
    {"type": "message_stop"},
)
ANSWERS = {
    "openai": (ANSWER, CHUNKS + "data: [DONE]\n\n"),
    "anthropic": (
        MESSAGE,
        "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in EVENTS),
    ),
}


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; header names are lower case, in order."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True)
class Reply:
    """An answer; with status 200 and no body, the chat answer that was asked for.

    Attributes:
        cut: How many bytes of it are sent before the connection is closed.
        held: Whether nothing is sent until the client has gone.
        before: Is run when the request has arrived.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    cut: int | None = None
    held: bool = False
    before: Callable[[], object] | None = None

    def encode(self, seen: Seen) -> bytes:
        streamed = b'"stream":true' in seen.body.replace(b" ", b"")
        kind = "text/event-stream" if streamed else "application/json"
        body = self.body
        if body is None:
            answer, chunks = ANSWERS["anthropic" if "/messages" in seen.path else "openai"]
            body = (chunks if streamed else json.dumps(answer)).encode()
        headers = {"Content-Type": kind, "Content-Length": str(len(body))}
        lines = [*headers.items(), *self.headers, ("Connection", "close")]
        head = "".join(f"{key}: {value}\r\n" for key, value in lines)
        return f"HTTP/1.1 {self.status} Said\r\n{head}\r\n".encode() + body


OK = Reply()


def moved(status: int, location: str | None) -> Reply:
    """A redirect; without ``location``, one that does not say where to."""
    return Reply(status, () if location is None else (("Location", location),), b"moved")


class Scripted:
    """The server: gives its replies one after the other, the last one again and again.

    Attributes:
        url: Its address.
        replies: What it answers next.
        seen: The requests it got.
        open: How many connections are open.
    """

    def __init__(self) -> None:
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                scripted._count(1)
                try:
                    super().handle()
                finally:
                    scripted._count(-1)

            def do(self) -> None:
                scripted._answer(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self.replies: list[Reply] = [OK]
        self.seen: list[Seen] = []
        self.open = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self._thread.start()

    def script(self, replies: Sequence[Reply]) -> None:
        """Start anew: no request seen, and these replies next."""
        self.replies, self.seen = list(replies), []

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _count(self, by: int) -> None:
        with self._lock:
            self.open += by

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        headers = tuple((key.lower(), value) for key, value in handler.headers.items())
        seen = Seen(handler.command, handler.path, headers, _body(handler))
        with self._lock:
            self.seen.append(seen)
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if reply.before is not None:
            reply.before()
        if reply.held:
            handler.connection.settimeout(10)
            handler.rfile.read(1)
        else:
            handler.wfile.write(reply.encode(seen)[: reply.cut])
        handler.close_connection = True


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("transfer-encoding") != "chunked":
        return handler.rfile.read(int(handler.headers.get("content-length") or 0))
    body = b""
    while size := int(handler.rfile.readline(), 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return body
