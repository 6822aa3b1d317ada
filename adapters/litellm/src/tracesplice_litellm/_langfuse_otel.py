"""Mode ``langfuse_otel``: what LiteLLM puts on a span after the call.

It is made then by a tracer that is not reachable from outside, and its attributes come from a fixed
list that lacks prompt, environment, cost and error:
https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse_otel.py
(``_set_metadata_attributes``); asked for in https://github.com/BerriAI/litellm/issues/20236.
It takes the key's owner for the user (``default_user_id`` for the master key), and the end user for
the session: https://github.com/BerriAI/litellm/blob/main/litellm/integrations/arize/_utils.py
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tracesplice_litellm._call import read_report
from tracesplice_litellm._generation import (
    ENVIRONMENT,
    generation_attributes,
    missing_figures,
    trace_attributes,
)
from tracesplice_litellm._patch import replace
from tracesplice_litellm._request import END_USER
from tracesplice_litellm._sampled import is_surely_sampled
from tracesplice_litellm._server_spans import server_spans
from tracesplice_wire import guarded, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tracesplice_litellm._call import Call
    from tracesplice_litellm._request import Request
    from tracesplice_wire import Link

__all__ = ["NAME", "carry", "join", "prepare", "reports"]

NAME = "langfuse_otel"

_OWNER = "user_api_key_user_id"
_MAX_MESSAGE = 10_000  # characters of an error; a provider may answer with a whole page


def carry(logger: Any) -> None:
    """Make the class of a ``LangfuseOtelLogger`` put the link on its spans; twice is once."""
    kind = type(logger)
    replace(kind, "set_langfuse_otel_attributes", _with_link)
    replace(kind, "set_raw_request_attributes", _with_trace)
    replace(kind, "_maybe_log_raw_request", _if_let_in)


prepare = carry  # it reports failed calls by itself


def join(request: Request) -> None:
    """Do nothing: LiteLLM joins the trace by the request's ``traceparent``."""


def reports(logger: Any, call: Call, logging: Any) -> bool:
    """Return whether OpenTelemetry's sampler lets the call through."""
    return is_surely_sampled(call.request.places.otel)


def _with_link(original: Callable[..., Any]) -> Callable[..., Any]:
    def set_attributes(span: Any, kwargs: Any, response_obj: Any) -> Any:
        call = read_report(kwargs).call
        result = original(span, _without_defaults(kwargs, call) or kwargs, response_obj)
        _put_link(span, call, generation_attributes)
        _put_outcome(span, kwargs)
        return result

    return set_attributes


def _with_trace(original: Callable[..., Any]) -> Callable[..., Any]:
    def set_attributes(logger: Any, span: Any, kwargs: Any, response_obj: Any) -> Any:
        result = original(logger, span, kwargs, response_obj)
        _put_link(span, read_report(kwargs).call, trace_attributes)
        return result

    return set_attributes


def _if_let_in(original: Callable[..., Any]) -> Callable[..., Any]:
    def log_raw_request(*args: Any, **named: Any) -> Any:
        return original(*args, **named) if server_spans() else None

    return log_raw_request


@guarded("the user of a call")
def _without_defaults(kwargs: Mapping[str, Any], call: Call | None) -> Mapping[str, Any]:
    # What LiteLLM hands to its loggers is left as it is. In a client's trace nothing is made up.
    payload = kwargs.get("standard_logging_object")
    metadata = payload.get("metadata") if isinstance(payload, dict) else None
    if not isinstance(payload, dict) or not isinstance(metadata, dict):
        return kwargs
    owner, user, refused = metadata.get(_OWNER), metadata.get(END_USER), None
    if call is not None and call.request.link.trace_id is not None:
        owner, user, refused = None, None, owner
    return {
        **kwargs,
        "optional_params": _without_user(kwargs.get("optional_params"), refused),
        "standard_logging_object": {
            **payload,
            "metadata": {**metadata, END_USER: text(user), _OWNER: text(owner)},
            "model_parameters": _without_user(payload.get("model_parameters"), refused),
        },
    }


def _without_user(parameters: object, refused: object) -> object:
    # On some routes LiteLLM sends the key's owner as the request's user.
    if not isinstance(parameters, dict) or "user" not in parameters:
        return parameters
    user = text(parameters["user"])
    return {**parameters, "user": None if user == refused else user}


@guarded("the link of a call")
def _put_link(
    span: Any, call: Call | None, attributes: Callable[[Link], Mapping[str, Any]]
) -> None:
    if call is None:
        return
    link, environment = call.request.link, os.environ.get("LANGFUSE_TRACING_ENVIRONMENT")
    is_said = environment or ENVIRONMENT in (getattr(span, "attributes", None) or {})
    if link.trace_id is not None and not is_said:
        # This mode's own default is `production`, and Langfuse moves the whole trace there.
        span.set_attribute(ENVIRONMENT, "default")
    span.set_attributes(attributes(link))


@guarded("the figures or the error of a call")
def _put_outcome(span: Any, kwargs: Mapping[str, Any]) -> None:
    span.set_attributes(missing_figures(kwargs, getattr(span, "attributes", None) or {}))
    # LiteLLM says that there was one, and what it was in an event, which Langfuse does not show.
    error = kwargs.get("exception")
    if error is not None:
        reported = kwargs.get("standard_logging_object") or {}
        message = str(reported.get("error_str") or error)
        span.set_attribute("langfuse.observation.status_message", message[:_MAX_MESSAGE])
