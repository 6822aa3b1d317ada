"""The one method of LiteLLM that is wrapped: what ``langfuse_otel`` puts on a span.

Without ``LITELLM_OTEL_V2`` the span is made after the call, by a tracer that is not reachable from
outside, and its attributes come from a fixed list that lacks prompt, environment, cost and error:
https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse_otel.py
(``_set_metadata_attributes``); asked for in https://github.com/BerriAI/litellm/issues/20236.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from tracesplice_litellm._call import current
from tracesplice_litellm._guard import guarded
from tracesplice_litellm._usage import COST, cost_details
from tracesplice_litellm._values import MAX_MESSAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["repair"]

_METHOD = "set_langfuse_otel_attributes"
_MARK = "_tracesplice_litellm"


def repair(logger: object) -> None:
    """Make the class of a ``LangfuseOtelLogger`` put the link on its spans; twice is once."""
    owner = next(each for each in type(logger).__mro__ if _METHOD in vars(each))
    original: Callable[..., Any] = getattr(owner, _METHOD)
    if hasattr(original, _MARK):
        return

    @wraps(original)
    def with_link(span: Any, kwargs: Any, response_obj: Any) -> Any:
        result = original(span, kwargs, response_obj)
        _put_link(span, kwargs)
        _put_outcome(span, kwargs)
        return result

    setattr(with_link, _MARK, True)
    setattr(owner, _METHOD, staticmethod(with_link))


@guarded("the link of a call")
def _put_link(span: Any, kwargs: Mapping[str, Any]) -> None:
    call = current(kwargs.get("litellm_call_id"))
    if call is not None:
        span.set_attributes(call.attributes)


@guarded("the cost or the error of a call")
def _put_outcome(span: Any, kwargs: Mapping[str, Any]) -> None:
    cost = cost_details(kwargs)
    if cost is not None:
        span.set_attribute(COST, cost)
    # LiteLLM says that there was one, and what it was in an event, which Langfuse does not show.
    error = kwargs.get("exception")
    if error is not None:
        reported = kwargs.get("standard_logging_object") or {}
        message = str(reported.get("error_str") or error)
        span.set_attribute("langfuse.observation.status_message", message[:MAX_MESSAGE])
