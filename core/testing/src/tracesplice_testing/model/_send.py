"""How an answer leaves: late, in pieces, cut off or refused, as its directives say."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextvars import ContextVar

from starlette.responses import JSONResponse, Response, StreamingResponse

from tracesplice_testing.model._directives import Directives
from tracesplice_testing.model._record import RequestLog

__all__ = ["LOG", "DroppedError", "lines", "once", "refusal", "sse"]

LOG: ContextVar[RequestLog] = ContextVar("rig_model_log")


class DroppedError(Exception):
    """Raised inside a response to make the server close the connection."""


async def refusal(directives: Directives) -> Response | None:
    """Wait the delay; the failure that was asked for, if any."""
    await asyncio.sleep(directives.delay)
    status = directives.status(LOG.get())
    if status is None:
        return None
    error = {"message": f"asked to fail with {status}", "type": "rig_error", "code": str(status)}
    return JSONResponse({"error": error}, status_code=status)


async def once(
    body: object, directives: Directives, content_type: str = "application/json"
) -> Response:
    """Send one body, JSON unless it is bytes already."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    if not directives.drop:
        return await refusal(directives) or Response(data, media_type=content_type)
    return await _stream([data[: len(data) // 2]], directives, content_type)


async def lines(objects: Iterable[object], directives: Directives) -> Response:
    """Stream objects as newline-delimited JSON."""
    data = [json.dumps(item).encode() + b"\n" for item in objects]
    return await _stream(data, directives, "application/x-ndjson")


async def sse(events: Iterable[tuple[str | None, object]], directives: Directives) -> Response:
    """Stream (event name, object) pairs as server-sent events."""
    data = [
        (f"event: {name}\n" if name else "").encode()
        + f"data: {item if isinstance(item, str) else json.dumps(item)}\n\n".encode()
        for name, item in events
    ]
    return await _stream(data, directives, "text/event-stream")


async def _stream(data: list[bytes], directives: Directives, content_type: str) -> Response:
    refused = await refusal(directives)
    return refused or StreamingResponse(_pieces(data, directives), media_type=content_type)


async def _pieces(data: list[bytes], directives: Directives) -> AsyncIterator[bytes]:
    kept = data[: max(1, len(data) // 2)] if directives.drop else data
    for piece in kept:
        await asyncio.sleep(directives.pace)
        yield piece
    if directives.drop:
        # Without this pause the pieces and the end can leave in one packet, headers unread.
        await asyncio.sleep(0.05)
        raise DroppedError
