"""A load balancer in front of gateways: each request goes to the next one."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from tracesplice_testing.recorder._server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.requests import Request

    from tracesplice_testing.gateway import Gateway

__all__ = ["balancer"]

_OWN = ("host", "content-length", "transfer-encoding", "connection", "authorization")


@contextmanager
def balancer(gateways: Sequence[Gateway], served: list[Gateway]) -> Iterator[str]:
    """Serve at the URL that is yielded, and note in `served` which gateway got each request."""
    turns = itertools.cycle(gateways)

    async def forward(request: Request) -> Response:
        gateway = next(turns)
        served.append(gateway)
        sent = {name: value for name, value in request.headers.items() if name not in _OWN}
        body = await request.body()
        # With the gateway's own key: they are behind one address.
        reply = await run_in_threadpool(gateway.post, request.url.path, body, sent)
        answered = {name: value for name, value in reply.headers.items() if name not in _OWN}
        return Response(reply.body, reply.status, answered)

    server = Server(Starlette(routes=[Route("/{path:path}", forward, methods=["POST"])]))
    try:
        yield server.url
    finally:
        server.stop()
