"""Mode ``langfuse_otel``: what LiteLLM puts on a span after the call.

It is made then by a tracer that is not reachable from outside, and its attributes come from a fixed
list that lacks prompt, environment, cost and error:
https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse_otel.py
(``_set_metadata_attributes``); asked for in https://github.com/BerriAI/litellm/issues/20236.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tracesplice_litellm._attributes import for_generation, for_observation
from tracesplice_litellm._call import call_of
from tracesplice_litellm._defaults import without_defaults
from tracesplice_litellm._guard import guarded
from tracesplice_litellm._patch import replace
from tracesplice_litellm._quiet import server_spans
from tracesplice_litellm._usage import lacking
from tracesplice_litellm._values import MAX_MESSAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tracesplice_litellm._link import Link

__all__ = ["prepare"]

_ENVIRONMENT = "langfuse.environment"


def prepare(logger: object) -> None:
    """Make the class of a ``LangfuseOtelLogger`` put the link on its spans; twice is once."""
    kind = type(logger)
    replace(kind, "set_langfuse_otel_attributes", _with_link)
    replace(kind, "set_raw_request_attributes", _with_trace)
    replace(kind, "_maybe_log_raw_request", _if_let_in)


def _with_link(original: Callable[..., Any]) -> Callable[..., Any]:
    def set_attributes(span: Any, kwargs: Any, response_obj: Any) -> Any:
        result = original(span, _without_defaults(kwargs) or kwargs, response_obj)
        _put_link(span, kwargs)
        _put_outcome(span, kwargs)
        return result

    return set_attributes


def _with_trace(original: Callable[..., Any]) -> Callable[..., Any]:
    def set_attributes(logger: Any, span: Any, kwargs: Any, response_obj: Any) -> Any:
        result = original(logger, span, kwargs, response_obj)
        _put_trace(span, kwargs)
        return result

    return set_attributes


def _if_let_in(original: Callable[..., Any]) -> Callable[..., Any]:
    def log_raw_request(*args: Any, **named: Any) -> Any:
        return original(*args, **named) if server_spans() else None

    return log_raw_request


@guarded("the user of a call")
def _without_defaults(kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    call = call_of(kwargs)
    joined = call is not None and call.link.place is not None
    return without_defaults(kwargs, joined=joined)


@guarded("the link of a call")
def _put_link(span: Any, kwargs: Mapping[str, Any]) -> None:
    call = call_of(kwargs)
    if call is not None:
        span.set_attributes(_own_environment(span, call.link) | for_generation(call.link))


@guarded("the trace attributes of a request's text")
def _put_trace(span: Any, kwargs: Mapping[str, Any]) -> None:
    call = call_of(kwargs)
    if call is not None:
        span.set_attributes(_own_environment(span, call.link) | for_observation(call.link))


def _own_environment(span: Any, link: Link) -> dict[str, str]:
    # This mode's own default is `production`, and Langfuse moves the whole trace there.
    joins = link.place is not None or link.header is not None
    said = os.environ.get("LANGFUSE_TRACING_ENVIRONMENT") or (
        _ENVIRONMENT in (getattr(span, "attributes", None) or {})
    )
    return {_ENVIRONMENT: "default"} if joins and not said else {}


@guarded("the figures or the error of a call")
def _put_outcome(span: Any, kwargs: Mapping[str, Any]) -> None:
    span.set_attributes(lacking(kwargs, getattr(span, "attributes", None) or {}))
    # LiteLLM says that there was one, and what it was in an event, which Langfuse does not show.
    error = kwargs.get("exception")
    if error is not None:
        reported = kwargs.get("standard_logging_object") or {}
        message = str(reported.get("error_str") or error)
        span.set_attribute("langfuse.observation.status_message", message[:MAX_MESSAGE])
