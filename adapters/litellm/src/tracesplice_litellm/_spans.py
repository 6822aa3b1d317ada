"""What acts on spans as they start, where LiteLLM gives access to the provider that makes them.

That is in ``LITELLM_OTEL_V2``, and in mode ``langfuse`` of LiteLLM releases that report through
OpenTelemetry there. Apart from the modes, because mode ``langfuse`` may run without OpenTelemetry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import get_current_span

from tracesplice_litellm._call import at_work
from tracesplice_wire import fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span, Tracer, TracerProvider

__all__ = ["follow_clients", "watch"]

# A provider does not say which processors it has. With a processor twice, each generation would be
# taken for the second report of a call, so that not even two threads at once may add it.
_watched: WeakKeyDictionary[TracerProvider, _LinkProcessor] = WeakKeyDictionary()


class _LinkProcessor(SpanProcessor):
    def __init__(self, put_link: Callable[[Span], object]) -> None:
        self._put_link = put_link

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        try:
            self._put_link(span)
        except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
            fault(f"{__name__}.on_start", "the link of a call")


def watch(provider: TracerProvider, put_link: Callable[[Span], object]) -> None:
    """Put the link of each call on the spans that are made for it; twice is once.

    Args:
        provider: What makes them.
        put_link: Is given each of its spans as it starts.
    """
    processor = _LinkProcessor(put_link)
    if _watched.setdefault(provider, processor) is processor:
        provider.add_span_processor(processor)


def follow_clients(tracer: Tracer) -> None:
    """Make ``tracer`` sample as the client of each call does, and else by its own sampler.

    LiteLLM in mode ``langfuse`` takes no notice of the client, and chooses by another hash of the
    trace's id than Langfuse's SDKs do (``TraceIdHashSampler``), so that at one rate on both sides
    each keeps other traces:
    https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse_sdk.py.

    Args:
        tracer: LiteLLM's; it takes no notice of its provider's sampler after it was made. Twice is
            once.
    """
    own = getattr(tracer, "sampler", None)  # none where OpenTelemetry is switched off
    if own is not None and not isinstance(own, _ClientSampler):
        tracer.sampler = _ClientSampler(own)


class _ClientSampler(Sampler):
    def __init__(self, own: Sampler) -> None:
        self._own = own

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: Any = None,
        attributes: Any = None,
        *others: Any,
        **named: Any,
    ) -> SamplingResult:
        sampled = None
        try:
            sampled = _decision(parent_context)
        except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
            fault(f"{__name__}.should_sample", "the client's sampling decision")
        if sampled is None:
            return self._own.should_sample(
                parent_context, trace_id, name, kind, attributes, *others, **named
            )
        if sampled:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
        return SamplingResult(Decision.DROP)

    def get_description(self) -> str:
        return f"TracespliceClientSampler{{{self._own.get_description()}}}"


def _decision(parent_context: Context | None) -> bool | None:
    parent = get_current_span(parent_context).get_span_context()
    if parent.is_valid and not parent.is_remote:
        # Beneath a generation of this gateway: a guardrail, say.
        return parent.trace_flags.sampled
    call = at_work()
    return None if call is None else call.request.places.sampled
