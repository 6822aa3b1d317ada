"""The span that OpenInference made for the LlamaIndex call that is being made."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from tracesplice.adapter import guarded

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["under_observation"]

_OPENINFERENCE = "openinference.instrumentation.llama_index"


@contextmanager
def under_observation() -> Iterator[None]:
    """Make the span of the LlamaIndex call at work here the current one.

    OpenInference does so itself from release 4.6.1 on, as long as the call is inside its method.
    """
    with ExitStack() as around:
        _enter(around)
        yield


@guarded("the OpenInference span a call belongs to")
def _enter(around: ExitStack) -> None:
    span = _observation()
    if span is not None and _id(span) != _id(trace.get_current_span()):
        around.enter_context(
            trace.use_span(span, record_exception=False, set_status_on_exception=False)
        )


def _observation() -> trace.Span | None:
    module: Any = sys.modules.get(_OPENINFERENCE)
    if module is None:
        return None
    # Public: https://github.com/Arize-ai/openinference/tree/main/python/instrumentation/openinference-instrumentation-llama-index
    span: trace.Span | None = module.get_current_span()
    return span


def _id(span: trace.Span) -> int:
    return span.get_span_context().span_id
