"""A request that LiteLLM sends by itself: it is linked, and the answer says who counts it.

For most calls of a gateway LiteLLM makes an OpenAI client, which has an adapter of its own. Some
routes, such as ``litellm.responses``, and some providers go through ``HTTPHandler.post`` and
``AsyncHTTPHandler.post`` instead; both run in the context of the call
(https://github.com/BerriAI/litellm/blob/main/litellm/llms/custom_httpx/http_handler.py). LiteLLM's
public hook before a call, ``log_pre_api_call``, sees no answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tracesplice.adapter import (
    Gateway,
    LinkedRequest,
    gateways_here,
    guarded,
    link_request,
    note_answer,
    note_foreign_call,
)
from tracesplice_litellm_sdk._body import body_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["apost", "post"]

_FIRST = ("url", "data", "json", "params", "headers")
"""The first arguments of both methods, in all releases."""

_OF_PROVIDERS = (
    *(":generateContent", ":streamGenerateContent", ":predict"),
    *(":rawPredict", ":streamRawPredict"),
    *("/converse", "/converse-stream", "/invoke", "/invoke-with-response-stream", "/invocations"),
    *("/api/chat", "/api/generate", "/v2/chat", "/v1/chat", "/embed"),
)
"""What the paths of providers' other routes end with, which no gateway is called by."""


class _Sent(NamedTuple):
    linked: LinkedRequest
    gateways: tuple[Gateway, ...]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def post(wrapped: Callable[..., Any], _handler: object, args: Any, kwargs: Any) -> Any:
    """Wrap ``HTTPHandler.post``."""
    sent = _link(args, kwargs)
    if sent is None:
        return wrapped(*args, **kwargs)
    response = wrapped(*sent.args, **sent.kwargs)
    _note(sent, response)
    return response


async def apost(wrapped: Callable[..., Any], _handler: object, args: Any, kwargs: Any) -> Any:
    """Wrap ``AsyncHTTPHandler.post``."""
    sent = _link(args, kwargs)
    if sent is None:
        return await wrapped(*args, **kwargs)
    response = await wrapped(*sent.args, **sent.kwargs)
    _note(sent, response)
    return response


@guarded("the link of a call by LiteLLM")
def _link(args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Sent | None:
    arguments = {**dict(zip(_FIRST, args, strict=False)), **kwargs}
    url = str(arguments.get("url"))
    gateways = gateways_here()
    if not any(gateway.matches(url) for gateway in gateways):
        if Gateway.calls_model(url) or Gateway.calls_model(url, _OF_PROVIDERS):
            note_foreign_call()
        return None
    if not Gateway.calls_model(url):
        return None
    body, headers = body_of(arguments), arguments.get("headers") or {}
    linked = link_request(body.fields, headers, form=body.is_form)
    changed: dict[str, Any] = {"headers": {**headers, **linked.headers}}
    if linked.body:
        changed[body.name] = body.with_fields(arguments.get(body.name), linked.body)
    by_place = [changed.pop(name, value) for name, value in zip(_FIRST, args, strict=False)]
    return _Sent(linked, gateways, (*by_place, *args[len(_FIRST) :]), {**kwargs, **changed})


@guarded("the zero usage of a call by LiteLLM")
def _note(sent: _Sent, response: Any) -> None:
    note_answer(sent.linked, response, sent.gateways)
