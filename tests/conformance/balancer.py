"""A load balancer in front of gateways: each request goes to the next one."""

from __future__ import annotations

import itertools
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING

import httpx
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from rig.recorder._server import Server
from shapes.either import TLS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

    from starlette.requests import Request

    from rig.gateway import Gateway

__all__ = ["balancer"]

_HOP_BY_HOP = ("host", "content-length", "transfer-encoding", "connection")


@contextmanager
def balancer(gateways: Sequence[Gateway], served: list[Gateway]) -> Iterator[str]:
    """Serve at the URL that is yielded, and note in `served` which gateway got each request."""
    turns = itertools.cycle(gateways)

    async def forward(request: Request) -> StreamingResponse:
        gateway = next(turns)
        served.append(gateway)
        return await _forward(request, gateway)

    server = Server(Starlette(routes=[Route("/{path:path}", forward, methods=["POST"])]))
    try:
        yield server.url
    finally:
        server.stop()


async def _forward(request: Request, gateway: Gateway) -> StreamingResponse:
    # Gateways that have keys of their own are behind one address.
    headers = _passed_on(request.headers.items()) | {"authorization": f"Bearer {gateway.key}"}
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            httpx.AsyncClient(verify=TLS, trust_env=False, timeout=60)
        )
        answer = await stack.enter_async_context(
            client.stream(
                request.method,
                gateway.url + request.url.path,
                content=await request.body(),
                headers=headers,
            )
        )
        rest = stack.pop_all()
    return StreamingResponse(
        _pieces(answer, rest), answer.status_code, _passed_on(answer.headers.items())
    )


async def _pieces(answer: httpx.Response, rest: AsyncExitStack) -> AsyncIterator[bytes]:
    async with rest:
        async for piece in answer.aiter_raw():
            yield piece


def _passed_on(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _HOP_BY_HOP}
