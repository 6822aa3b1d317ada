"""A proxy between an application and a server, which changes what passes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from tracesplice_testing.gateway._http import request as http_request
from tracesplice_testing.recorder._server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

__all__ = ["between", "served"]

Headers = dict[str, str]
_OWN = ("host", "content-length", "transfer-encoding", "connection", "accept-encoding")


def _same(headers: Headers) -> Headers:
    return headers


def _same_body(body: bytes) -> bytes:
    return body


@contextmanager
def between(
    url: str,
    *,
    sent: Callable[[Headers], Headers] = _same,
    body: Callable[[bytes], bytes] = _same_body,
    answered: Callable[[bytes], bytes] = _same_body,
) -> Iterator[str]:
    """Serve what is at `url`, with changed headers and body of requests, and body of answers."""

    async def forward(request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if name not in _OWN}
        content = body(await request.body()) if request.method == "POST" else None
        path = f"{url}{request.url.path}?{request.url.query}"
        reply = await run_in_threadpool(http_request, path, None, content, sent(headers))
        kept = {name: value for name, value in reply.headers.items() if name.lower() not in _OWN}
        return Response(answered(reply.body), reply.status, kept)

    with served(Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "POST"])])) as own:
        yield own


@contextmanager
def served(application: Starlette) -> Iterator[str]:
    """Serve an application at the URL that is yielded."""
    server = Server(application)
    try:
        yield server.url
    finally:
        server.stop()
