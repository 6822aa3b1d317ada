"""What the gateway adapter makes of LiteLLM's sampler; without LiteLLM."""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler

from tracesplice_litellm import _call, _spans
from tracesplice_litellm._place import Places
from tracesplice_litellm._request import Request
from tracesplice_wire import STRICT_VARIABLE

if TYPE_CHECKING:
    from opentelemetry.trace import Span

SAMPLERS = pytest.mark.parametrize("own", [ALWAYS_ON, ALWAYS_OFF], ids=["on", "off"])


def tracer_with(own: Sampler) -> Tracer:
    tracer = TracerProvider(sampler=own).get_tracer("litellm")
    assert isinstance(tracer, Tracer)
    _spans.follow_clients(tracer)
    return tracer


def started(tracer: Tracer, sampled: bool | None) -> Span:
    def start() -> Span:
        _call.begin({}).request = Request(places=Places(sampled=sampled))
        return tracer.start_span("generation", attributes={"a": 1})

    return copy_context().run(start)


@SAMPLERS
@pytest.mark.parametrize("sampled", [True, False])
def test_the_client_s_decision_holds(own: Sampler, *, sampled: bool) -> None:
    span = started(tracer_with(own), sampled)
    assert span.is_recording() is sampled
    assert getattr(span, "attributes", {"a": 1}) == {"a": 1}


@SAMPLERS
def test_without_one_litellm_decides(own: Sampler) -> None:
    tracer = tracer_with(own)
    for span in (started(tracer, None), tracer.start_span("of no call")):
        assert span.is_recording() is (own is ALWAYS_ON)


@SAMPLERS
@pytest.mark.parametrize("sampled", [True, False])
def test_what_is_beneath_a_generation_follows_it(own: Sampler, *, sampled: bool) -> None:
    tracer = tracer_with(own)
    context = trace.set_span_in_context(started(tracer, sampled))
    assert tracer.start_span("guardrail", context=context).is_recording() is sampled


def test_twice_is_once() -> None:
    tracer = tracer_with(ALWAYS_ON)
    before = tracer.sampler
    _spans.follow_clients(tracer)
    assert tracer.sampler is before
    assert "AlwaysOnSampler" in before.get_description()


def test_after_a_fault_of_ours_litellm_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    tracer = tracer_with(ALWAYS_ON)
    monkeypatch.delenv(STRICT_VARIABLE, raising=False)
    monkeypatch.setattr(_spans, "at_work", lambda: 1 / 0)
    assert tracer.start_span("generation").is_recording()
