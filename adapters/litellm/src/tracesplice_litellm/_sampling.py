"""Lets the client's sampling decision hold in mode ``langfuse``, as in the OpenTelemetry modes.

LiteLLM takes no notice of it there, and chooses by another hash of the trace's id than Langfuse's
SDKs do (``TraceIdHashSampler``), so that at one rate on both sides each keeps other traces:
https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse_sdk.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import get_current_span

from tracesplice_litellm._call import current
from tracesplice_litellm._guard import guarded

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Tracer

__all__ = ["follow_clients"]


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
        sampled = _decision(parent_context)
        if sampled is None:
            return self._own.should_sample(
                parent_context, trace_id, name, kind, attributes, *others, **named
            )
        if sampled:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
        return SamplingResult(Decision.DROP)

    def get_description(self) -> str:
        return f"TracespliceClientSampler{{{self._own.get_description()}}}"


def follow_clients(tracer: Tracer) -> None:
    """Make ``tracer`` sample as the client of each call does, by its own sampler else.

    Twice is once.

    Args:
        tracer: LiteLLM's; it takes no notice of its provider's sampler after it was made.
    """
    if not isinstance(tracer.sampler, _ClientSampler):
        tracer.sampler = _ClientSampler(tracer.sampler)


@guarded("the client's sampling decision")
def _decision(parent_context: Context | None) -> bool | None:
    parent = get_current_span(parent_context).get_span_context()
    if parent.is_valid and not parent.is_remote:
        # Beneath a generation of this gateway: a guardrail, say.
        return parent.trace_flags.sampled
    call = current()
    return None if call is None else call.link.sampled
