"""The Anthropic SDK, as what splices its clients."""

from __future__ import annotations

from contextlib import nullcontext
from functools import wraps
from typing import TYPE_CHECKING, Any

import anthropic
from opentelemetry import trace

from tracesplice.adapter import OBSERVATION, ClientSdk, as_current, guarded, is_stored
from tracesplice_anthropic._around import Around
from tracesplice_anthropic._instrumentations import forget_spans, observe_spans

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

__all__ = ["sdk"]


class _Anthropic(ClientSdk):
    def build_request(self, method: Callable[..., Any]) -> Callable[..., Any]:
        linking = super().build_request(method)

        @wraps(method)
        def build_request(client: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
            with _in_what_is_around(options) or nullcontext():
                return linking(client, options, *args, **kwargs)

        return build_request


@guarded("the observation of a call")
def _in_what_is_around(options: Any) -> AbstractContextManager[object] | None:
    around, own = vars(options).get(OBSERVATION), trace.get_current_span()
    if around is None or own is around:
        return None
    if own.is_recording() and is_stored(own):
        vars(options)[OBSERVATION] = own
    # What the call's own observation does not say, such as a prompt, is asked of the current one.
    return as_current(around)


sdk = _Anthropic(
    __name__,
    clients=(anthropic.Anthropic, anthropic.AsyncAnthropic),
    omit=anthropic.Omit,
    # Those of Bedrock and Vertex, whose clients have the same base class.
    elsewhere=("/invoke", "/invoke-with-response-stream", ":rawPredict", ":streamRawPredict"),
)
"""Splices clients of the Anthropic SDK, and reaches all of them."""

_calls = Around(sdk)
sdk.wrap_too(_calls.wrap, _calls.unwrap)
sdk.wrap_too(observe_spans, forget_spans)
