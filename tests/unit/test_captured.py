"""A carrier is made once for a place, and anew as soon as anything there is another."""

from __future__ import annotations

import gc
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from weakref import ref

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langfuse import propagate_attributes
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import tracesplice
from tracesplice import _captured
from tracesplice_wire import decode_carrier
from unit.carriers import ANN, EVE, place
from unit.langfuse_ambient import EVERYTHING, OWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langfuse import Langfuse

    from tracesplice.adapter import Link


@pytest.fixture(autouse=True, scope="module")
def _without_frameworks() -> Iterator[None]:
    # Tests of other adapters may have run in this process.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_captured, "observation_sources", {})
        patch.setattr(_captured, "ambient_sources", {})
        yield


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Link]:
    """The links that carriers are made of."""
    found: list[Link] = []
    encode = _captured.encode_carrier  # type: ignore[attr-defined]

    def encode_carrier(link: Link, *more: Any) -> Any:
        found.append(link)
        return encode(link, *more)

    monkeypatch.setattr(_captured, "encode_carrier", encode_carrier)
    return found


def test_it_is_made_once(langfuse: Langfuse, made: list[Link]) -> None:
    with place(langfuse, **EVERYTHING):
        assert [tracesplice.capture() for _ in range(3)] == [tracesplice.capture()] * 3
    assert len(made) == 1


NAMES = (
    "user.id",
    "langfuse.user.id",
    "session.id",
    "langfuse.trace.tags",
    "langfuse.trace.name",
    "langfuse.version",
    "langfuse.environment",
    "langfuse.observation.prompt.name",
    "langfuse.observation.type",
    "langfuse.trace.metadata.team",
    "langfuse.internal.is_app_root",
)
VALUES = st.sampled_from(["ann", "eve", "generation", "2"])
STEPS = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(NAMES), VALUES),
    st.tuples(st.just("set"), st.just("langfuse.observation.prompt.version"), st.integers(1, 2)),
    st.tuples(st.just("enter"), st.sampled_from([ANN, EVE, EVERYTHING, {"prompt": OWN}])),
    st.tuples(st.just("open"), st.sampled_from(["langfuse-sdk", "a web server"])),
    st.just(("leave",)),
)
TRACERS = TracerProvider()


@given(st.lists(STEPS, max_size=12))
def test_it_is_never_that_of_before(steps: list[tuple[Any, ...]]) -> None:
    inside: list[ExitStack] = []
    with ExitStack() as around:
        for what, *arguments in (("open", "langfuse-sdk"), *steps):
            if what == "set":
                trace.get_current_span().set_attribute(*arguments)
            elif what == "leave":
                if inside:
                    inside.pop().close()
            else:
                inside.append(ExitStack())
                around.callback(inside[-1].close)
                inside[-1].enter_context(
                    propagate_attributes(**arguments[0])
                    if what == "enter"
                    else TRACERS.get_tracer(arguments[0]).start_as_current_span("s")
                )
            for _ in range(2):
                fresh = _captured._captured(otel_context.get_current())
                assert tracesplice.capture() == fresh.carrier


def test_the_prompt_of_an_observation_may_come_later(langfuse: Langfuse) -> None:
    with langfuse.start_as_current_observation(name="g", as_type="generation") as generation:
        before = decode_carrier(tracesplice.capture()).link
        prompt: Any = type("Prompt", (), {**OWN, "is_fallback": False})()
        generation.update(prompt=prompt)
        after = decode_carrier(tracesplice.capture()).link
    assert (before.prompt, after.prompt) == (None, ("own", 3))


def test_a_framework_that_is_imported_meanwhile_is_asked(
    langfuse: Langfuse, made: list[Link], monkeypatch: pytest.MonkeyPatch
) -> None:
    with place(langfuse, **ANN):
        tracesplice.capture()
        for name in ("observation_sources", "ambient_sources"):
            with monkeypatch.context() as patch:
                patch.setattr(_captured, name, {print: lambda: None})
                tracesplice.capture()
                tracesplice.capture()
    assert len(made) == 5


class Proxy(trace.NonRecordingSpan):
    """A span that becomes another, as those of OpenInference do."""

    def get_span_context(self) -> trace.SpanContext:
        return self.now

    now = trace.SpanContext(1, 2, False, trace.TraceFlags(1))


class Unhashable(Proxy):
    """One that says itself what it is equal to."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, _: object) -> bool:
        return True


@pytest.mark.parametrize("kind", [Proxy, Unhashable])
def test_a_span_of_somebody_elses_may_become_another(kind: type[Proxy]) -> None:
    span = kind(Proxy.now)
    with trace.use_span(span):
        for number in (1, 2):
            span.now = trace.SpanContext(number, 2, False, trace.TraceFlags(1))
            assert decode_carrier(tracesplice.capture()).link.trace_id == f"{number:032x}"


def test_nothing_is_kept_alive(langfuse: Langfuse) -> None:
    with place(langfuse, **ANN):
        tracesplice.capture()
        alive: list[Any] = [ref(trace.get_current_span()), ref(otel_context.get_current())]
        assert alive[0]() in _captured._made
    gc.collect()
    assert [each() for each in alive] == [None, None]
