"""Puts the link on spans as they start, where LiteLLM gives access to the provider that makes them.

That is in ``LITELLM_OTEL_V2``, and in mode ``langfuse`` of LiteLLM releases that report through
OpenTelemetry there. https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-processor
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from opentelemetry.sdk.trace import SpanProcessor

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span, TracerProvider

__all__ = ["watch"]

_watched: WeakSet[Any] = WeakSet()


class _LinkProcessor(SpanProcessor):
    def __init__(self, put_link: Callable[[Span], object]) -> None:
        self._put_link = put_link

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self._put_link(span)


def watch(provider: TracerProvider, put_link: Callable[[Span], object]) -> None:
    """Put the link of each call on the spans that are made for it; twice is once.

    Args:
        provider: What makes them.
        put_link: Is given each of its spans as it starts; must not raise.
    """
    if provider not in _watched:
        _watched.add(provider)
        provider.add_span_processor(_LinkProcessor(put_link))
