"""Puts the link on spans as they start, where LiteLLM gives access to the provider that makes them.

So in ``LITELLM_OTEL_V2`` and, for LiteLLM releases that report through OpenTelemetry there, too, in
mode ``langfuse``. https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-processor
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import SpanKind

from tracesplice_litellm._call import CALL_ID, TYPE, current
from tracesplice_litellm._guard import guarded
from tracesplice_litellm._usage import NOTHING, USAGE, missing_usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span, TracerProvider

    from tracesplice_litellm._call import Call

__all__ = ["is_generation", "is_model_call", "watch"]

# How LITELLM_OTEL_V2 names the span of a model call while it runs: `<operation> <model>`.
# https://github.com/BerriAI/litellm/blob/main/litellm/integrations/otel/model/semconv.py
_OPERATIONS = ("chat", "text_completion", "embeddings", "generate_content", "litellm.moderation")

_watched: WeakSet[Any] = WeakSet()


class _LinkProcessor(SpanProcessor):
    def __init__(self, is_generation: Callable[[Span], bool]) -> None:
        self._is_generation = is_generation

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        # Outside the guard: of the spans of a request, most are of something else.
        if self._is_generation(span):
            _put_link(span)


def is_model_call(span: Span) -> bool:
    """Return whether ``LITELLM_OTEL_V2`` started ``span`` for a call of a model."""
    return span.kind is SpanKind.CLIENT and span.name.partition(" ")[0] in _OPERATIONS


def is_generation(span: Span) -> bool:
    """Return whether Langfuse's SDK, in mode ``langfuse``, started ``span`` as a generation."""
    return (span.attributes or {}).get(TYPE) == "generation"


def watch(provider: TracerProvider, is_generation: Callable[[Span], bool]) -> None:
    """Put the link of each call on the spans that are made for it; twice is once.

    Args:
        provider: What makes them.
        is_generation: Which of its spans are of a model's call; must not raise.
    """
    if provider not in _watched:
        _watched.add(provider)
        provider.add_span_processor(_LinkProcessor(is_generation))


@guarded("the link of a call")
def _put_link(span: Span) -> None:
    attributes = span.attributes or {}
    call = current(attributes.get(CALL_ID))
    if call is None:
        return
    call.observed = True
    span.set_attributes(call.attributes)
    if call.link.generation_name is not None:
        _name(span, call.link.generation_name)
    if TYPE in attributes:
        _put_usage(span, call, attributes.get(USAGE))


def _put_usage(span: Span, call: Call, reported: object) -> None:
    key = (span.name, span.start_time)
    if key in call.reported:
        span.set_attributes(NOTHING)
        return
    call.reported.add(key)
    usage = missing_usage(call.usage, reported)
    if usage is not None:
        span.set_attribute(USAGE, usage)


def _name(span: Span, name: str) -> None:
    span.update_name(name)
    # LITELLM_OTEL_V2 names its span anew right before it ends, by this public method, and no
    # processor is asked after that while a span can still be changed.
    span.update_name = lambda name: None
