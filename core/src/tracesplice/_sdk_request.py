"""A call of a generated SDK on its way: each attempt is linked, the answer says who counts it.

The SDK's ``_build_request`` runs once per attempt, right before the body is serialised and inside
whatever else instruments the client, so that the current span is the innermost one.
``_process_response`` runs when an attempt was answered, and before a stream is read: a client's
generation is not exported yet. Both are private; the SDKs have no public method at those places,
for all the ways to ask for an answer
(https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py).
"""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from tracesplice._answers import note_answer
from tracesplice._gateway import Gateway
from tracesplice._in_call import in_call
from tracesplice._places import note_foreign_call
from tracesplice._request import LinkedRequest, link_request
from tracesplice._sdk_options import Kind, address_of, written_in
from tracesplice_wire import fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracesplice._sdk_options import Options

__all__ = ["MARK", "OBSERVATION", "Mark", "SdkRequests"]

MARK = "_tracesplice"
"""The entry of a client's ``__dict__`` that makes it a spliced one."""

OBSERVATION = "_tracesplice_observation"
"""In the ``__dict__`` of a call's options, which the SDK's copies of them keep: its own span."""

_EXTENSION = "tracesplice"
"""Rides on a request: its link, where it was sent, and the gateways whose answer is trusted."""


class Mark:
    """What makes a client a spliced one: an entry of its ``__dict__`` that its copies share.

    Attributes:
        gateway: The gateway that the client's calls may carry a link to.
        sdk: The SDK of the client.
        reached: The latest base URL and path that were found to lead there, to a model.
    """

    def __init__(self, gateway: Gateway, sdk: SdkRequests) -> None:
        self.gateway = gateway
        self.sdk = sdk
        self.reached: tuple[object, str] | None = None
        sdk.marks.add(self)

    def __deepcopy__(self, memo: object) -> Mark:
        return self


class SdkRequests:
    """The requests of an SDK's clients.

    Attributes:
        kind: The SDK.
        declared: The gateways that every client's calls may carry a link to.
        marks: Those of its spliced clients.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.declared: tuple[Gateway, ...] = ()
        self.marks: WeakSet[Mark] = WeakSet()

    def build_request(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate ``_build_request``: link the attempt that is about to be sent."""

        @wraps(method)
        def build_request(client: Any, options: Options, *args: Any, **kwargs: Any) -> Any:
            mark = vars(client).get(MARK)
            gateways = self.declared if mark is None else (mark.gateway, *self.declared)
            gateways = (*in_call.get(), *gateways)
            linked = None
            try:
                linked = self._link(client, mark, gateways, options)
            except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
                fault(f"{__name__}.build_request", "the link of a call")
            request = method(client, options, *args, **kwargs)
            if linked is not None and isinstance(getattr(request, "extensions", None), dict):
                request.extensions[_EXTENSION] = linked, request.url, gateways
            return request

        return build_request

    def process_response(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate ``_process_response``: note who counts the call."""

        @wraps(method)
        def process_response(*args: Any, **kwargs: Any) -> Any:
            _note_answered(kwargs)
            return method(*args, **kwargs)

        @wraps(method)
        async def aprocess_response(*args: Any, **kwargs: Any) -> Any:
            _note_answered(kwargs)
            return await method(*args, **kwargs)

        return aprocess_response if iscoroutinefunction(method) else process_response

    def _link(
        self,
        client: Any,
        mark: Mark | None,
        gateways: tuple[Gateway, ...],
        options: Options,
    ) -> LinkedRequest | None:
        if options.method.upper() != "POST":
            return None
        known = mark is not None and mark.reached == (client.base_url, options.url)
        if not known and not self._reaches(client, mark, gateways, options):
            return None
        body = options.json_data
        is_plain = (
            type(client) in self.kind.own
            and not (options.headers or client._custom_headers or options.files)
            and type(body) is dict
            and options.extra_json is None
            and getattr(options, "content", None) is None  # the oldest releases have none
        )
        # The SDK made these options for this attempt alone, so they are ours to change; what is in
        # them is the caller's.
        fields = vars(options)
        observation, field = fields.get(OBSERVATION), "json_data"
        if is_plain:
            linked = link_request(body, {}, observation=observation)
        else:
            headers, body, field, is_form = written_in(self.kind, client, options)
            linked = link_request(body, headers, observation=observation, form=is_form)
        if linked.body:
            fields[field] = {**fields[field], **linked.body}
        if linked.headers:
            fields["headers"] = {**(options.headers or {}), **linked.headers}
        return linked

    def _reaches(
        self, client: Any, mark: Mark | None, gateways: tuple[Gateway, ...], options: Options
    ) -> bool:
        """Return whether a request goes to a gateway, and there to a model."""
        path = options.url
        url = address_of(self.kind, client, path) if gateways else path
        if not any(gateway.matches(url) for gateway in gateways):
            if Gateway.calls_model(path, self.kind.elsewhere):
                note_foreign_call(vars(options).get(OBSERVATION))
            return False
        found = Gateway.calls_model(url)
        # Not of a gateway that is declared besides, which need not stay so.
        is_known = type(client) in self.kind.own
        if found and mark is not None and is_known and mark.gateway.matches(url):
            mark.reached = (client.base_url, path)
        return found


def _note_answered(given: dict[str, Any]) -> None:
    try:
        response = given["response"]
        request = response.request
        # The HTTP client's redirects take the extensions of a request along.
        sent = request.extensions.pop(_EXTENSION, None)
        # A middleware of the SDK's is given failed answers, too.
        if sent is not None and response.status_code < 400:
            linked, url, gateways = sent
            if response.history or request.url is not url:
                note_answer(linked, response, gateways)
            else:
                linked.answered(response.headers)
    except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
        fault(f"{__name__}.process_response", "the zero usage of a call")
