"""What the gateway adapter makes of LiteLLM's sampler; without LiteLLM."""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler

from tracesplice_litellm import _call, _sampled, _spans
from tracesplice_litellm._place import Places
from tracesplice_litellm._request import Request
from tracesplice_litellm._sampled import is_surely_sampled
from tracesplice_wire import STRICT_VARIABLE, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

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


RECORDED, LEFT_OUT = (Place("7" * 32, "8" * 16, flags) for flags in (1, 0))
LAST, FIRST = (Place(digit * 32, "8" * 16) for digit in "f1")
NAMES: tuple[str | None, ...] = (
    *(None, "", "unknown", " always_off", "always_on", "ALWAYS_ON", "always_off", "Always_Off"),
    *("parentbased_always_on", "parentbased_always_off"),
    *("traceidratio", "parentbased_traceidratio", "ParentBased_TraceIdRatio"),
)
ARGUMENTS = (None, "", "0", "0.25", "1", "1.0", " 1 ", "2", "-1", "half", "nan")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name in ("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    _sampled._sampler.cache_clear()
    yield monkeypatch
    _sampled._sampler.cache_clear()


def is_recorded(place: Place | None) -> bool:
    """What LiteLLM's provider makes of a span there; without a place, of the last trace."""
    provider = TracerProvider(id_generator=LastId(), shutdown_on_exit=False)
    parent = None if place is None else trace.set_span_in_context(_sampled.remote_span(place))
    return provider.get_tracer("litellm").start_span("generation", parent).is_recording()


class LastId(RandomIdGenerator):
    def generate_trace_id(self) -> int:
        return (1 << 128) - 1


@pytest.mark.parametrize("argument", ARGUMENTS)
@pytest.mark.parametrize("name", NAMES)
def test_it_is_known_what_opentelemetry_s_variables_let_through(
    environment: pytest.MonkeyPatch, name: str | None, argument: str | None
) -> None:
    for variable, value in (("OTEL_TRACES_SAMPLER", name), ("OTEL_TRACES_SAMPLER_ARG", argument)):
        if value is not None:
            environment.setenv(variable, value)
    for place in (RECORDED, LEFT_OUT, LAST, FIRST, None):
        assert is_surely_sampled(place) is is_recorded(place), place


@pytest.mark.parametrize(
    ("sampler", "expected"),
    [
        ("parentbased_always_on", (True, False, True)),
        ("parentbased_always_off", (True, False, False)),
        ("parentbased_traceidratio", (True, False, False)),
        ("ALWAYS_ON", (True, True, True)),
        ("always_off", (False, False, False)),
    ],
)
def test_a_recorded_parent_is_followed(
    environment: pytest.MonkeyPatch, sampler: str, expected: tuple[bool, ...]
) -> None:
    environment.setenv("OTEL_TRACES_SAMPLER", sampler)
    environment.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    assert tuple(map(is_surely_sampled, (RECORDED, LEFT_OUT, None))) == expected


@pytest.mark.parametrize("value", ["true", " TRUE "])
def test_what_is_switched_off_lets_nothing_through(
    environment: pytest.MonkeyPatch, value: str
) -> None:
    environment.setenv("OTEL_SDK_DISABLED", value)
    assert not is_surely_sampled(RECORDED)
    assert not is_surely_sampled(None)


def test_what_is_current_does_not_matter(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    environment.setenv("OTEL_TRACES_SAMPLER_ARG", "0.01")
    server = TracerProvider(sampler=ALWAYS_ON).get_tracer("a web server")
    with server.start_as_current_span("request"):
        assert not is_surely_sampled(None)
