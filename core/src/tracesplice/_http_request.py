"""Links a request as httpx has it, for libraries with HTTP code of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tracesplice._answers import note_answer
from tracesplice._gateway import Gateway
from tracesplice._json_bytes import parsed_object, with_field
from tracesplice._places import note_foreign_call
from tracesplice._request import LinkedRequest, link_request
from tracesplice_wire import guarded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.trace import Span

__all__ = ["LinkedHttpRequest", "link_http_request"]

_LENGTH = "content-length"
_JSON = "application/json"


class LinkedHttpRequest(NamedTuple):
    """A request that carries a link, and what waits for its answer.

    Attributes:
        request: What to send: a new request of the same class.
        linked: Its link.
        gateways: Whose answer is trusted.
    """

    request: Any
    linked: LinkedRequest
    gateways: Sequence[Gateway]

    @guarded("the zero usage of a call")
    def answered(self, response: Any) -> None:
        """Note who counts the call; call it before the answer's stream is read.

        Args:
            response: The answer, as httpx has it. One with a status of 400 or more counts nothing.
        """
        if response.status_code < 400:
            note_answer(self.linked, response, self.gateways)


@guarded("the link of a call")
def link_http_request(
    request: Any, gateways: Sequence[Gateway], *, observation: Span | None = None
) -> LinkedHttpRequest | None:
    """Link a request that is about to be sent, if it asks a model and goes to a gateway.

    Args:
        request: A request of httpx, httpx2, or of a library with the same class. A JSON object in
            it gets the link's fields; any other body is left as it is, and headers carry the link.
        gateways: Where a link may go: that of a spliced object, and ``gateways_here()``.
        observation: The span of the call's own observation; by default the current one.

    Returns:
        None where the request is to be sent as it is, also where something failed, which is logged.
    """
    url = str(request.url)
    if request.method.upper() != "POST" or not Gateway.calls_model(url):
        return None
    if not any(gateway.matches(url) for gateway in gateways):
        note_foreign_call(observation)
        return None
    body = _json_object(request)
    linked = link_request(body, request.headers, observation=observation)
    try:
        sent = _with(request, linked)
    except Exception:
        linked.answered(None)  # it goes out as it is, and the client counts it
        raise
    return LinkedHttpRequest(sent, linked, gateways)


def _json_object(request: Any) -> dict[str, Any] | None:
    kind = request.headers.get("content-type", "")
    if "content-encoding" in request.headers or not kind.lower().startswith(_JSON):
        return None
    return parsed_object(_read(request) or b"")


def _read(request: Any) -> bytes | None:
    content: bytes | None = getattr(request, "_content", None)  # None where it is streamed
    return content


def _with(request: Any, linked: LinkedRequest) -> Any:
    headers, content = request.headers.copy(), _read(request)
    for name, value in linked.body.items():
        headers.pop(_LENGTH, None)
        content = with_field(content or b"", name, value)
    headers.update(linked.headers)
    sent = {"stream": request.stream} if content is None else {"content": content}
    return type(request)(
        request.method, request.url, headers=headers, extensions=request.extensions, **sent
    )
