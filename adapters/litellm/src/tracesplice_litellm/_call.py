"""The state of one request, found again by everything that reports it.

It is put where the gateway alone writes: into what LiteLLM hands to its loggers. LiteLLM's own id
of a call will not do, as a client may choose it (``x-litellm-call-id``), and nor will the request's
context alone: some reports come from threads without one, and a web server may serve the next
request of a connection in a copy of the last one's.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tracesplice_litellm._request import Request
from tracesplice_litellm._rewrite import splice_request
from tracesplice_wire import fault

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "RELAYED",
    "Call",
    "Report",
    "at_work",
    "begin",
    "call_of",
    "read_headers",
    "read_report",
    "report",
    "served",
    "was_sent",
]

RELAYED = "pass_through_endpoint"
"""LiteLLM's ``call_type`` of one: https://docs.litellm.ai/docs/proxy/pass_through."""

_KEY = "tracesplice_call"


@dataclass(eq=False)
class Call:
    """One request to the gateway, with all its attempts.

    Attributes:
        request: What the client sent.
        call_id: LiteLLM's id of it, which the client may have chosen.
        is_relayed: Whether it goes to a pass-through endpoint.
        span_key: The id under which ``LITELLM_OTEL_V2`` keeps its open span.
        has_span: Whether a span of a model call was started for it, before it was answered.
        generations: Name and start of those that were reported, in nanoseconds.
    """

    request: Request = field(default_factory=Request)
    call_id: object = None
    is_relayed: bool = False
    span_key: object = None
    has_span: bool = False
    generations: set[tuple[str, int | None]] = field(default_factory=set)


class Report(NamedTuple):
    """What a logger reports at this moment.

    Attributes:
        call: The call it is of, None if that is not known.
        details: What LiteLLM handed to the logger, as ``kwargs``.
    """

    call: Call | None
    details: Mapping[str, Any]


class _Carrier(str):
    """Carries a call where others may expect what JSON can hold: to them it is a text."""

    call: Call

    def __deepcopy__(self, _memo: object) -> _Carrier:
        return self  # LiteLLM copies requests, and all copies are of one call


served: ContextVar[Call | None] = ContextVar("tracesplice_litellm_served", default=None)
"""The call that is served; who asks must know that it is the one at work."""

report: ContextVar[Report | None] = ContextVar("tracesplice_litellm_report", default=None)
"""What a logger reports: set around LiteLLM's code, for the spans that are started meanwhile."""


def begin(data: Mapping[str, Any]) -> Call:
    """Make the call of this request, in place of whatever was there; it is not read yet.

    Args:
        data: The request as LiteLLM hands it to ``async_pre_call_hook``.
    """
    logging = data.get("litellm_logging_obj")
    kind = getattr(logging, "call_type", None)
    call = Call(call_id=_call_id(logging, data), is_relayed=kind == RELAYED)
    carrier = _Carrier("begun")
    carrier.call = call
    served.set(call)
    # Images, speech and others begin without a logging object, and Google's route makes a second
    # one where it asks a model by another protocol; all take the other holder along.
    for holder in (getattr(logging, "model_call_details", None), data.get("proxy_server_request")):
        if isinstance(holder, dict):
            holder[_KEY] = carrier
    return call


def call_of(data: Mapping[str, Any]) -> Call | None:
    """Return the call of a request; ``data`` is what LiteLLM hands to its other hooks."""
    logging = data.get("litellm_logging_obj")
    call_id = _call_id(logging, data)
    found = _find(getattr(logging, "model_call_details", None), data, call_id)
    if found is None and call_id is None and "proxy_server_request" not in data:
        # A pass-through endpoint's has lost all that tells whose it is; the task is the same.
        return served.get()
    return found


def read_headers(call: Call, data: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    """Read where a pass-through endpoint's call belongs: its first hook is not given its headers.

    Args:
        call: The call.
        data: The request as LiteLLM hands it to its hooks.
        headers: The headers of the request.
    """
    if call.request.link.trace_id is None:
        logging, server = data.get("litellm_logging_obj"), {"headers": dict(headers)}
        found = splice_request({"litellm_logging_obj": logging, "proxy_server_request": server})
        call.request = found._replace(written={})  # not where LiteLLM reports from


def read_report(details: Mapping[str, Any]) -> Report:
    """Return what a logger reports; never raises.

    Args:
        details: What LiteLLM hands to it, as ``kwargs``.
    """
    call = None
    try:
        request = details.get("litellm_params") or {}
        call = _find(details, request, details.get("litellm_call_id"))
        if call is not None and call.is_relayed and not call.request.written:
            call.request = _read_late(request)
    except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
        fault(f"{__name__}.read_report", "the link of a call")
    return Report(call, details)


def at_work() -> Call | None:
    """Return the call that a logger reports at this moment or, outside of one, that is served."""
    reported = report.get()
    return served.get() if reported is None else reported.call


def was_sent(logging: Any) -> bool:
    """Return whether a call got as far as to a provider; ``logging`` is LiteLLM's object of it."""
    details = getattr(logging, "model_call_details", None) or {}
    return details.get("api_call_start_time") is not None


def _read_late(params: Mapping[str, Any]) -> Request:
    # Of a pass-through endpoint, the headers were not there yet when the request was read. They are
    # no plain mapping. The metadata is written where LiteLLM reports from.
    server = params.get("proxy_server_request") or {}
    headers = dict(server.get("headers") or {})
    return splice_request({**params, "proxy_server_request": {**server, "headers": headers}})


def _call_id(logging: Any, data: Mapping[str, Any]) -> object:
    # Of a pass-through endpoint, the logging object alone knows it.
    return getattr(logging, "litellm_call_id", None) or data.get("litellm_call_id")


def _find(details: Any, request: Mapping[str, Any], call_id: object) -> Call | None:
    for holder in (details, request.get("proxy_server_request")):
        if holder is not None and isinstance(found := holder.get(_KEY), _Carrier):
            return found.call
    call = served.get()
    return None if call is None or call_id is None or call.call_id != call_id else call
