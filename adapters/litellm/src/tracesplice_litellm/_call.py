"""The state of one request, found again by everything that reports it.

It is put where the gateway alone writes: into what LiteLLM hands to its loggers. LiteLLM's own id
of a call will not do, as a client may choose it (``x-litellm-call-id``), and nor will the request's
context alone: some reports come from threads without one, and a web server may serve the next
request of a connection in a copy of the last one's.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tracesplice_litellm._link import Link
from tracesplice_litellm._read import read_link

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "RELAYED",
    "Call",
    "begin",
    "call_in",
    "call_of",
    "current",
    "details",
    "reporting",
    "served",
]

RELAYED = "pass_through_endpoint"
"""LiteLLM's ``call_type`` of one: https://docs.litellm.ai/docs/proxy/pass_through."""

_KEY = "tracesplice_call"

_served: ContextVar[Call | None] = ContextVar("tracesplice_litellm_served", default=None)
_details: ContextVar[Mapping[str, Any] | None] = ContextVar(
    "tracesplice_litellm_details", default=None
)


@dataclass(eq=False)
class Call:
    """One request to the gateway, with all its attempts.

    Attributes:
        link: What the client sent.
        call_id: LiteLLM's id of it, which the client may have chosen.
        relayed: Whether it goes to a pass-through endpoint.
        told_as: What ``LITELLM_OTEL_V2`` knows it by.
        observed: Whether a span of a model call was started for it, before it was answered.
        reported: Name and start of the generations that were reported, in nanoseconds.
    """

    link: Link = field(default_factory=Link)
    call_id: object = None
    relayed: bool = False
    told_as: object = None
    observed: bool = False
    reported: set[tuple[str, int | None]] = field(default_factory=set)


class _Carried(str):
    """Carries a call where others may expect what JSON can hold: to them it is a text."""

    call: Call


def begin(data: Mapping[str, Any]) -> Call:
    """Make the call of this request, in place of whatever was there; it has no link yet.

    Args:
        data: The request as LiteLLM hands it to ``async_pre_call_hook``.
    """
    kind = getattr(data.get("litellm_logging_obj"), "call_type", None)
    call = Call(call_id=_call_id(data), relayed=kind == RELAYED)
    carried = _Carried("begun")
    carried.call = call
    _served.set(call)
    # Images, speech and others begin without a logging object, but take the other one along.
    holder = next(_holders(data, _logged(data)), None)
    if isinstance(holder, dict):
        holder[_KEY] = carried
    return call


def call_in(data: Mapping[str, Any]) -> Call | None:
    """Return the call of a request; ``data`` is what LiteLLM hands to its other hooks."""
    call_id = _call_id(data)
    # A pass-through endpoint's has lost all that tells whose it is; the task is the same.
    unknown = call_id is None and "proxy_server_request" not in data
    return _held(_holders(data, _logged(data))) or (served() if unknown else _served_as(call_id))


def call_of(details: Mapping[str, Any]) -> Call | None:
    """Return the call that a logger reports; ``details`` is what LiteLLM calls ``kwargs``."""
    request = details.get("litellm_params") or {}
    found = _held(_holders(request, details)) or _served_as(details.get("litellm_call_id"))
    if found is not None and found.relayed and found.link.place is None:
        found.link = _late_link(request)
    return found


def _late_link(request: Mapping[str, Any]) -> Link:
    # Of a pass-through endpoint, the headers were not there yet when the request was read.
    server = request.get("proxy_server_request") or {}
    headers = dict(server.get("headers") or {})
    return read_link({**request, "proxy_server_request": {**server, "headers": headers}})


@contextmanager
def reporting(reported: Mapping[str, Any]) -> Iterator[None]:
    """Let the spans that are started meanwhile be of the call that is reported."""
    token = _details.set(reported)
    try:
        yield
    finally:
        _details.reset(token)


def details() -> Mapping[str, Any]:
    """Return what a logger reports at this very moment, empty if none does."""
    return _details.get() or {}


def current() -> Call | None:
    """Return the call that a logger reports at this moment or, outside of one, that is served."""
    reported = _details.get()
    return _served.get() if reported is None else call_of(reported)


def served() -> Call | None:
    """Return the call that is served; who asks must know that it is the one at work."""
    return _served.get()


def _logged(data: Mapping[str, Any]) -> Any:
    return getattr(data.get("litellm_logging_obj"), "model_call_details", None)


def _call_id(data: Mapping[str, Any]) -> object:
    # Of a pass-through endpoint, the logging object alone knows it.
    logging = data.get("litellm_logging_obj")
    return getattr(logging, "litellm_call_id", None) or data.get("litellm_call_id")


def _holders(request: Mapping[str, Any], logged: Any) -> Iterator[Any]:
    for each in (logged, request.get("proxy_server_request")):
        if each is not None:
            yield each


def _held(holders: Iterable[Any]) -> Call | None:
    found = (holder.get(_KEY) for holder in holders)
    return next((each.call for each in found if isinstance(each, _Carried)), None)


def _served_as(call_id: object) -> Call | None:
    call = served()
    if call is None or call_id is None:
        return None
    return call if call.call_id == call_id else None
