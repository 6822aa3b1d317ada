"""The server itself: uvicorn in a background thread, on a free loopback port."""

import socket
import threading
from collections.abc import Mapping
from typing import TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tracesplice_testing.model import _anthropic, _media, _ollama, _openai, _responses
from tracesplice_testing.model._record import ReceivedRequest, RequestLog
from tracesplice_testing.model._send import LOG

__all__ = ["ModelServer"]

_OPENAI = [*_openai.ROUTES, *_responses.ROUTES, *_media.ROUTES]
# A gateway answers without the `/v1`, too.
_BARE = [
    Route(route.path.removeprefix("/v1"), route.endpoint, methods=["POST"])
    for route in _OPENAI
    if route.path.startswith("/v1/")
]
_ROUTES = [*_ollama.ROUTES, *_OPENAI, *_BARE, *_anthropic.ROUTES]
_PATIENCE = 10.0
_Self = TypeVar("_Self", bound="ModelServer")
_KEEP_ALIVE = 600  # seconds; a gateway that uses a connection as it is closed asks twice


class ModelServer:
    """Answers as a model would, deterministically, and keeps what it was sent.

    The module `_answers` says what the answers are, `_directives` how to ask for faults.
    `answer_headers` are on every answer, until `clear`; so long, every request is redirected to the
    server at `moved_to`, if that is set.
    """

    def __init__(self) -> None:
        self._log = RequestLog()
        self.answer_headers: dict[str, str] = {}
        self.moved_to: str | None = None
        self._socket = socket.socket()
        # asyncio does so only for sockets it makes itself; each answer would be 40 ms late.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A port that is bound before uvicorn starts cannot be taken by anyone in between.
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        app = _Recorder(Starlette(routes=_ROUTES), self._log, self)
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="critical",
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=_KEEP_ALIVE,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="tracesplice-model", daemon=True)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """What was received so far, oldest first."""
        return self._log.all()

    @property
    def calls(self) -> list[ReceivedRequest]:
        """The requests that ask a model for something.

        LiteLLM also sends, in its own time, a GET of `/v1/models` for each `openai/` deployment.
        """
        return [request for request in self.requests if request.method == "POST"]

    def headers_of(self, request: ReceivedRequest) -> Mapping[str, str]:
        """The headers to add to the answer of a request, asked for as the answer begins."""
        return self.answer_headers

    def clear(self) -> None:
        """Forget the requests received, and let every `fail-once` fail once more."""
        self._log.clear()
        self.answer_headers.clear()
        self.moved_to = None

    def start(self) -> None:
        """Start serving. The socket listens already when this returns."""
        self._socket.listen(2048)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)
        self._socket.close()

    def __enter__(self: _Self) -> _Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])


class _Recorder:
    """Reads each request whole, records it, and replays it to the application."""

    def __init__(self, app: ASGIApp, log: RequestLog, server: ModelServer) -> None:
        self._app, self._log, self._server = app, log, server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chunks: list[bytes] = []
        more = True
        while more:
            message = await receive()
            chunks.append(message.get("body", b""))
            more = message.get("more_body", False)
        body = b"".join(chunks)
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        request = ReceivedRequest(scope["method"], scope["path"], headers, body)
        self._log.add(request)
        LOG.set(self._log)
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.answered.append(message["status"])
                headers = self._server.headers_of(request)
                added = [(k.encode(), v.encode()) for k, v in headers.items()]
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            await send(message)

        await (self._moved(scope["path"]) or self._app)(scope, replay, answer)

    def _moved(self, path: str) -> ASGIApp | None:
        to = self._server.moved_to
        return None if to is None else RedirectResponse(f"{to}{path}")
