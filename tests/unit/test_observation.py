"""From an observation of the Langfuse SDK to its span, and to the prompt it is linked to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from langfuse import propagate_attributes
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from tracesplice.adapter import PromptRef, own_prompt, span_of

if TYPE_CHECKING:
    from langfuse import Langfuse

    from tracesplice_testing.recorder import Recorder

IDS = {"trace_id": "a" * 32, "id": "b" * 16}


def test_the_span_of_an_observation(sdk: Langfuse) -> None:
    observation = sdk.start_observation(name="g", as_type="generation")
    span = span_of(observation)
    assert span is not None
    assert trace.format_span_id(span.get_span_context().span_id) == observation.id
    observation.end()
    assert span_of(observation) is None


def test_one_that_is_not_sampled() -> None:
    tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("x")
    span = span_of(SimpleNamespace(_otel_span=tracer.start_span("g"), **IDS))
    assert span is not None
    assert not span.get_span_context().trace_flags.sampled


def test_none_where_tracing_is_off() -> None:
    assert span_of(SimpleNamespace(_otel_span=trace.INVALID_SPAN, **IDS)) is None


def test_the_ids_are_enough_where_the_span_is_out_of_reach() -> None:
    span = span_of(SimpleNamespace(**IDS))
    assert span is not None
    context = span.get_span_context()
    assert trace.format_trace_id(context.trace_id) == IDS["trace_id"]
    assert trace.format_span_id(context.span_id) == IDS["id"]
    assert context.trace_flags.sampled


def test_what_is_no_observation_is_an_error() -> None:
    with pytest.raises(AttributeError):
        span_of(object())


def test_an_own_prompt_is_not_the_ambient_one(rec: Recorder, sdk: Langfuse) -> None:
    rec.add_prompt("own", "Hello", labels=["production"])
    with propagate_attributes(prompt={"name": "ambient", "version": 1}):
        for given, wanted in ((None, None), (sdk.get_prompt("own"), PromptRef("own", 1))):
            observation = sdk.start_observation(name="g", as_type="generation", prompt=given)
            span = span_of(observation)
            assert span is not None
            assert own_prompt(span) == wanted
            observation.end()


def test_without_any_prompt_there_is_no_own_one(sdk: Langfuse) -> None:
    observation = sdk.start_observation(name="g", as_type="generation")
    span = span_of(observation)
    assert span is not None
    assert own_prompt(span) is None
    observation.end()
