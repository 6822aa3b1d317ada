"""The link is read off the real Langfuse SDK's spans and its ambient context."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Mapping
from contextlib import ExitStack
from hashlib import sha256
from typing import Any

import pytest
from langfuse import Langfuse, propagate_attributes
from opentelemetry import baggage, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from tracesplice._places import place_of
from tracesplice._request import capture_link
from tracesplice_wire import Link, PromptRef
from unit.langfuse_ambient import AMBIENT, EVERYTHING, EVERYTHING_LINKED, OWN, attached

SDK, LLM, SERVER = "langfuse-sdk", "openinference.instrumentation.x", "web-server"
NAME, VERSION = "langfuse.observation.prompt.name", "langfuse.observation.prompt.version"


class Prompt:
    """What ``start_observation(prompt=)`` takes."""

    name, version, is_fallback = "own", 3, False


class TestPlace:
    @pytest.mark.parametrize(
        ("scopes", "place"),
        [
            ((), None),
            ((SDK,), 0),
            ((SDK, SDK), 1),
            ((SDK, LLM), 1),
            ((SDK, "pydantic-ai"), 1),
            ((SDK, SERVER), 0),
            ((SDK, SERVER, SERVER), 1),  # in its trace: of more than one nobody tells
            # Their parent would never arrive: the gateway makes a trace with a name instead.
            ((SERVER,), None),
            ((SERVER, SERVER), None),
        ],
    )
    def test_it_is_the_innermost_span_that_langfuse_stores(
        self,
        langfuse: Langfuse,
        provider: TracerProvider,
        scopes: tuple[str, ...],
        place: int | None,
    ) -> None:
        places: list[tuple[str | None, str | None]] = []
        with ExitStack() as stack:
            for scope in scopes:
                if scope is SDK:
                    stack.enter_context(langfuse.start_as_current_observation(name="x"))
                else:
                    stack.enter_context(provider.get_tracer(scope).start_as_current_span("x"))
                places.append(place_of(trace.get_current_span().get_span_context()))
            stack.enter_context(propagate_attributes(**EVERYTHING))
            link = capture_link()
        trace_id, parent_id = (None, None) if place is None else places[place]
        expected = EVERYTHING_LINKED._replace(trace_id=trace_id, parent_id=parent_id)
        assert link._replace(project=None, trace_flags=link.trace_flags & 1) == expected

    def test_it_is_the_call_s_own_observation_where_known(self, langfuse: Langfuse) -> None:
        with langfuse.start_as_current_observation(name="x") as outer:
            own = langfuse.start_observation(name="y", as_type="generation")
            link = capture_link(own._otel_span)
            own.end()
        assert (link.trace_id, link.parent_id) == (outer.trace_id, own.id)

    def test_a_span_of_another_sdk_may_say_it_in_any_mapping(self) -> None:
        class Foreign(trace.NonRecordingSpan):
            attributes: Mapping[str, str]

        class Plain(Mapping[str, str]):
            __getitem__ = {"user.id": "ada"}.__getitem__
            __iter__ = {"user.id": "ada"}.__iter__
            __len__ = {"user.id": "ada"}.__len__

        context = trace.SpanContext(1, 2, is_remote=False, trace_flags=trace.TraceFlags(1))
        span = Foreign(context)
        for span.attributes in (UserDict({"user.id": "ada"}), Plain()):
            assert capture_link(span).user_id == "ada"

    def test_a_span_at_the_root_that_the_user_has_stored_is_a_place(self) -> None:
        provider = TracerProvider()
        client = Langfuse(
            public_key="pk-everything",
            secret_key="sk-unit",
            base_url="http://127.0.0.1:9",
            tracer_provider=provider,
            span_exporter=InMemorySpanExporter(),
            should_export_span=lambda _: True,
        )
        with provider.get_tracer("web-server").start_as_current_span("GET /") as span:
            link = capture_link()
        client.shutdown()
        assert link.parent_id == trace.format_span_id(span.get_span_context().span_id)

    def test_the_same_span_leads_to_the_observation_of_another_process(
        self, provider: TracerProvider
    ) -> None:
        remote = trace.SpanContext(0xA, 0xB, is_remote=True, trace_flags=trace.TraceFlags(1))
        with (
            trace.use_span(trace.NonRecordingSpan(remote)),
            provider.get_tracer("web-server").start_as_current_span("GET /"),
        ):
            assert capture_link() == Link(f"{10:032x}", f"{11:016x}")

    def test_ids_of_zeros_are_no_place(self) -> None:
        for ids in ((0, 0xB), (0xA, 0)):
            remote = trace.SpanContext(*ids, is_remote=True, trace_flags=trace.TraceFlags(1))
            with trace.use_span(trace.NonRecordingSpan(remote)):
                assert capture_link() == Link()

    def test_it_is_in_its_client_s_project(
        self, langfuse: Langfuse, provider: TracerProvider
    ) -> None:
        with langfuse.start_as_current_observation(name="x"):
            assert capture_link().project == sha256(f"pk-{__name__}".encode()).hexdigest()[:16]
            with provider.get_tracer("openinference.x").start_as_current_span("y"):
                assert capture_link().project is None

    def test_a_remote_parent_is_taken_by_its_ids(self) -> None:
        remote = trace.SpanContext(0xA, 0xB, is_remote=True, trace_flags=trace.TraceFlags(0))
        with trace.use_span(trace.NonRecordingSpan(remote)):
            link = capture_link()
        assert link == Link(trace_id=f"{10:032x}", parent_id=f"{11:016x}", trace_flags=0)

    def test_what_is_not_sampled_says_so(self) -> None:
        tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("x")
        with tracer.start_as_current_span("y") as span, propagate_attributes(user_id="ann"):
            link = capture_link()
        assert link.trace_id == trace.format_trace_id(span.get_span_context().trace_id)
        assert not link.trace_flags & trace.TraceFlags.SAMPLED
        assert link.user_id == "ann"


class TestPrompt:
    def test_the_call_s_own_goes_before_the_ambient_one(self, langfuse: Langfuse) -> None:
        with propagate_attributes(prompt=AMBIENT), langfuse.start_as_current_observation(name="x"):
            prompt: Any = Prompt()
            own = langfuse.start_observation(name="y", as_type="generation", prompt=prompt)
            assert capture_link(own._otel_span).prompt == PromptRef("own", 3)
            own.end()

    def test_one_given_after_the_start_counts(self, langfuse: Langfuse) -> None:
        with langfuse.start_as_current_observation(name="x", as_type="generation") as generation:
            prompt: Any = Prompt()
            generation.update(prompt=prompt)
            assert capture_link().prompt == PromptRef("own", 3)

    def test_the_enclosing_generation_s_counts_where_the_call_s_has_none(
        self, langfuse: Langfuse
    ) -> None:
        prompt: Any = Prompt()
        outer = langfuse.start_as_current_observation(name="x", as_type="generation", prompt=prompt)
        with outer:
            own = langfuse.start_observation(name="y", as_type="generation")
            assert capture_link(own._otel_span).prompt == PromptRef("own", 3)
            own.end()

    @pytest.mark.parametrize("scope", ["langfuse-sdk", "web-server"])
    def test_one_that_a_span_kept_does_not_win_over_the_ambient_one(
        self, langfuse: Langfuse, provider: TracerProvider, scope: str
    ) -> None:
        current: Any = (
            langfuse.start_as_current_observation(name="x")
            if scope == "langfuse-sdk"
            else provider.get_tracer(scope).start_as_current_span("x")
        )
        with propagate_attributes(prompt=AMBIENT), current:
            with propagate_attributes(prompt=OWN):
                assert capture_link().prompt == PromptRef("own", 3)
            assert capture_link().prompt == PromptRef("ambient", 2)

    def test_one_that_a_span_kept_is_not_linked_when_none_is_ambient(
        self, langfuse: Langfuse
    ) -> None:
        with langfuse.start_as_current_observation(name="x"):
            with propagate_attributes(prompt=OWN):
                pass
            assert capture_link().prompt is None

    def test_an_llm_instrumentor_s_span_has_its_own(self, provider: TracerProvider) -> None:
        tracer = provider.get_tracer("openinference.instrumentation.x")
        with (
            propagate_attributes(prompt=AMBIENT),
            tracer.start_as_current_span("llm") as span,
        ):
            assert capture_link().prompt == PromptRef("ambient", 2)
            span.set_attributes({NAME: "own", VERSION: 3})
            assert capture_link().prompt == PromptRef("own", 3)

    @pytest.mark.parametrize("version", ["0", "-1", "x", "", "1.5", "²", "65536", "9" * 4_400])
    def test_a_version_from_outside_that_is_none_is_left_out_and_logged_once(
        self, version: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        context = baggage.set_baggage("langfuse_prompt_name", "p")
        context = baggage.set_baggage("langfuse_user_id", "ann", context)
        with attached(baggage.set_baggage("langfuse_prompt_version", version, context)):
            links = [capture_link() for _ in range(2)]
        assert links == [Link(user_id="ann")] * 2
        (record,) = caplog.records
        assert "prompt 'p' has version" in record.getMessage()
        assert "get_prompt" in record.getMessage()

    def test_a_name_without_a_version_is_left_out(self, caplog: pytest.LogCaptureFixture) -> None:
        with attached(baggage.set_baggage("langfuse_prompt_name", "p")):
            assert capture_link().prompt is None
        assert len(caplog.records) == 1
