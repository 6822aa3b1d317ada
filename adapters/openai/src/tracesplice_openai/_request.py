"""Puts the link into the requests of an OpenAI client.

Two methods of the client are wrapped, on one instance (``_instance``) or on the classes
(``_process``); a third one is in ``_answer``. ``request`` runs once per call and settles which
observation the call belongs to. ``_build_request`` runs once per attempt, right before the body is
serialised and inside whatever else instruments the client, so that the current span is the
innermost one. It is private; the SDK has no public method at that place
(https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import openai

from tracesplice.adapter import Gateway, capture_link, guarded, inject
from tracesplice_openai._answer import usage_of
from tracesplice_openai._call import Call, Options, current_call, entered
from tracesplice_openai._langfuse_openai import take_generation
from tracesplice_openai._redirect import follow_up

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OWN_GATEWAY", "arequest", "build_request", "declare", "request"]

OWN_GATEWAY = "_tracesplice_gateway"
"""The attribute that marks a spliced client and holds its gateway."""

_declared: tuple[Gateway, ...] = ()


def declare(gateways: tuple[Gateway, ...]) -> None:
    """Set the gateways that every client's calls may carry a link to."""
    global _declared
    _declared = gateways


def request(
    wrapped: Callable[..., Any], client: Any, cast_to: Any, options: Any, **kwargs: Any
) -> Any:
    """Make a synchronous client's call; arguments and result are those of ``wrapped``."""
    call = _begin(client)
    if call is None:
        return wrapped(cast_to, options, **kwargs)
    with entered(call):
        while True:
            try:
                return wrapped(cast_to, options, **kwargs)
            except openai.APIStatusError as error:
                redirected = follow_up(call, error.response, options)
                if redirected is None:
                    raise
            options = redirected


async def arequest(
    wrapped: Callable[..., Any], client: Any, cast_to: Any, options: Any, **kwargs: Any
) -> Any:
    """Make an asynchronous client's call; arguments and result are those of ``wrapped``."""
    call = _begin(client)
    if call is None:
        return await wrapped(cast_to, options, **kwargs)
    with entered(call):
        while True:
            try:
                return await wrapped(cast_to, options, **kwargs)
            except openai.APIStatusError as error:
                redirected = follow_up(call, error.response, options)
                if redirected is None:
                    raise
            options = redirected


def build_request(
    wrapped: Callable[..., Any], client: Any, options: Any, *args: Any, **kwargs: Any
) -> Any:
    """Build one attempt's HTTP request, with the link in it; the result is ``wrapped``'s."""
    call = current_call(client)
    if call is not None and call.linked is not options:
        call.linked, call.usage = options, None
        if not call.bare:
            _add_link(call, client, options)
    return wrapped(options, *args, **kwargs)


@guarded("the link of a call")
def _begin(client: Any) -> Call | None:
    # Spliced and instrumented at once, a call comes by twice.
    if current_call(client) is not None:
        return None
    own = vars(client).get(OWN_GATEWAY)
    gateways = _declared if own is None else (own, *_declared)
    return Call(client, gateways, take_generation())


@guarded("the link of a call")
def _add_link(call: Call, client: Any, options: Options) -> None:
    if not call.reaches(options.url if "://" in options.url else str(client.base_url)):
        return
    body = {**_mapping(options.json_data), **_mapping(options.extra_json)}
    own_headers = _mapping(options.headers)
    link = capture_link(call.observation)
    headers = {**client.default_headers, **own_headers}
    injection = inject(link, options.url, body, headers, form=bool(options.files))
    if injection is None:
        return
    # `options` is this attempt's own copy, but what it holds is the caller's: replace, don't write.
    if injection.body:
        options.extra_json = {**_mapping(options.extra_json), **injection.body}
    if injection.headers:
        options.headers = {**own_headers, **injection.headers}
    if _http_client_follows(client, options):
        options.follow_redirects = False
        call.follows_redirects = True
    call.usage = usage_of(link, call.observation, expected=injection.reported)


def _http_client_follows(client: Any, options: Options) -> bool:
    if options.follow_redirects is not None:
        return options.follow_redirects
    # A client of the user's own may be set not to follow, and the SDK has no public way to it.
    return bool(getattr(getattr(client, "_client", None), "follow_redirects", True))


def _mapping(value: object) -> Mapping[str, Any]:
    # An absent value is None or one of the SDK's own markers.
    return value if isinstance(value, Mapping) else {}
