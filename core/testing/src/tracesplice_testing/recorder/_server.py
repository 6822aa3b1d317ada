"""An ASGI application on a free loopback port, in a thread of its own."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from starlette.applications import Starlette

_GRACE_SECONDS = 2
_KEEP_ALIVE_SECONDS = 600  # a client that uses a connection as it is closed asks twice


class Server:
    """Serves from construction on; `stop` ends the thread and frees the port."""

    def __init__(self, app: Starlette) -> None:
        # Bound and listening before the thread runs: a client may connect at once and no
        # other process can take the port in between.
        self._socket = socket.create_server(("127.0.0.1", 0))
        # asyncio does so only for sockets it makes itself; each answer would be 40 ms late.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                app,
                lifespan="off",
                log_level="error",
                access_log=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            )
        )
        self._thread = threading.Thread(target=self._run, name="tracesplice-recorder", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._uvicorn.run(sockets=[self._socket])

    def stop(self) -> None:
        """Answers what is under way, then ends."""
        self._uvicorn.should_exit = True
        self._thread.join()
        self._socket.close()
