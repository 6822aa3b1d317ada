"""A call on its way: each attempt is linked, and the answer says who counts it.

The SDK's ``_build_request`` runs once per attempt, right before the body is serialised and inside
whatever else instruments the client, so that the current span is the innermost one.
``_process_response`` runs once per call, when its last attempt was answered without an error, and
before a stream is read: a client's generation is not exported yet. Both are private; the SDK has no
public method at those places, for all the ways to ask for an answer
(https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py).
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, NamedTuple

from tracesplice.adapter import (
    Gateway,
    LinkedRequest,
    fault,
    link_request,
    note_foreign_call,
    shown_url,
    warn_once,
)
from tracesplice_openai import _mark
from tracesplice_openai._langfuse_openai import GENERATION
from tracesplice_openai._sdk import OWN_CLASSES, Written, address_of, written_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracesplice_openai._mark import Mark
    from tracesplice_openai._sdk import Options

__all__ = ["build_request", "process_response"]

_EXTENSION = "tracesplice"


class Sent(NamedTuple):
    """A request that was sent with a link; it rides on the request itself, as an extension.

    Attributes:
        linked: The link that the request carries.
        url: Where it was sent.
        gateways: Whose answer is believed.
    """

    linked: LinkedRequest
    url: object
    gateways: tuple[Gateway, ...]


def build_request(wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
    """Wrap ``_build_request``: link the attempt that is about to be sent."""
    mark = vars(client).get(_mark.MARK)
    gateways = _mark.declared if mark is None else (mark.gateway, *_mark.declared)
    linked = None
    try:
        linked = _link(client, mark, gateways, *args, **kwargs)
    except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
        fault(f"{__name__}.build_request", "the link of a call")
    request = wrapped(*args, **kwargs)
    extensions = getattr(request, "extensions", None)
    if linked is not None and isinstance(extensions, MutableMapping):
        extensions[_EXTENSION] = Sent(linked, request.url, gateways)
    return request


def process_response(wrapped: Callable[..., Any], _client: Any, args: Any, kwargs: Any) -> Any:
    """Wrap ``_process_response``: note who counts the call; sync or async."""
    try:
        response = kwargs["response"]
        # The HTTP client's redirects take the extensions of a request along.
        sent: Sent | None = response.request.extensions.pop(_EXTENSION, None)
        if sent is None:
            pass
        elif response.history or response.url is not sent.url:
            _answered_after_redirect(sent, response)
        else:
            sent.linked.answered(response.headers)
    except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
        fault(f"{__name__}.process_response", "the zero usage of a call")
    return wrapped(*args, **kwargs)


def _link(
    client: Any, mark: Mark | None, gateways: tuple[Gateway, ...], options: Options, **_: object
) -> LinkedRequest | None:
    if options.method.upper() != "POST":
        return None
    known = mark is not None and mark.reached == (client.base_url, options.url)
    if not known and not _reaches(client, mark, gateways, options.url):
        return None
    body = options.json_data
    is_plain = (
        type(client) in OWN_CLASSES
        and not (options.headers or client._custom_headers or options.files)
        and type(body) is dict
        and options.extra_json is None
        and getattr(options, "content", None) is None  # the oldest releases have none
    )
    written = Written({}, body) if is_plain else written_in(client, options)
    # The SDK made these options for this attempt alone, so they are ours to change; what is in
    # them is the caller's.
    fields = vars(options)
    linked = link_request(
        written.body,
        written.headers,
        observation=fields.get(GENERATION),
        form=written.is_form,
    )
    if linked.body:
        fields[written.field] = {**fields[written.field], **linked.body}
    if linked.headers:
        fields["headers"] = {**(options.headers or {}), **linked.headers}
    return linked


def _reaches(client: Any, mark: Mark | None, gateways: tuple[Gateway, ...], path: str) -> bool:
    """Return whether a request goes to a gateway, and there to a model."""
    url = address_of(client, path) if gateways else path
    if not any(gateway.matches(url) for gateway in gateways):
        if Gateway.calls_model(path):
            note_foreign_call()
        return False
    found = Gateway.calls_model(url)
    # Not of a gateway that is declared besides, which need not stay so.
    if found and mark is not None and type(client) in OWN_CLASSES and mark.gateway.matches(url):
        mark.reached = (client.base_url, path)
    return found


def _answered_after_redirect(sent: Sent, response: Any) -> None:
    urls = [str(each.url) for each in (*response.history, response)]
    elsewhere = [url for url in urls if not any(each.matches(url) for each in sent.gateways)]
    sent.linked.answered(None if elsewhere else response.headers)
    if elsewhere:
        warn_once(
            "openai:redirect",
            "tracesplice: calls to the gateway %s are redirected to %s. The HTTP client repeats "
            "them there with all that is in them, the link too; who answers is no declared "
            "gateway, so the figures of your application stay as they are. Give the client the "
            "gateway's final address as base URL, or an HTTP client with follow_redirects=False.",
            sent.gateways[0],
            shown_url(elsewhere[0]),
        )
