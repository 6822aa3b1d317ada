"""The link is read off the real Langfuse SDK's spans and its ambient context."""

from __future__ import annotations

from contextlib import contextmanager
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from langfuse import Langfuse, propagate_attributes
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from tracesplice._langfuse import capture_link
from tracesplice._link import Link, PromptRef

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.context import Context

AMBIENT = {"name": "ambient", "version": 2}
OWN: Any = {"name": "own", "version": 3}
EVERYTHING: Any = {
    "user_id": "ann",
    "session_id": "s1",
    "tags": ["a", "b"],
    "trace_name": "chat",
    "environment": "test",
    "version": "1.2",
    "metadata": {"team": "red", "plan": "pro"},
    "prompt": AMBIENT,
}
EVERYTHING_LINKED = Link(
    prompt=PromptRef("ambient", 2),
    user_id="ann",
    session_id="s1",
    tags=("a", "b"),
    trace_name="chat",
    environment="test",
    version="1.2",
    metadata=(("team", "red"), ("plan", "pro")),
)
NAME, VERSION = "langfuse.observation.prompt.name", "langfuse.observation.prompt.version"


@pytest.fixture(scope="module")
def provider() -> TracerProvider:
    return TracerProvider()


@pytest.fixture(scope="module")
def langfuse(provider: TracerProvider) -> Iterator[Langfuse]:
    client = Langfuse(
        public_key="pk-unit",
        secret_key="sk-unit",
        base_url="http://127.0.0.1:9",
        tracer_provider=provider,
        span_exporter=InMemorySpanExporter(),
    )
    yield client
    client.shutdown()


@contextmanager
def attached(context: Context) -> Iterator[None]:
    token = otel_context.attach(context)
    try:
        yield
    finally:
        otel_context.detach(token)


class Prompt:
    """What ``start_observation(prompt=)`` takes."""

    name, version, is_fallback = "own", 3, False


class TestPlace:
    def test_without_a_span_there_is_no_trace(self) -> None:
        assert capture_link() == Link()

    def test_it_is_the_current_observation(self, langfuse: Langfuse) -> None:
        with langfuse.start_as_current_observation(name="x") as span:
            link = capture_link()
        assert (link.trace_id, link.parent_id) == (span.trace_id, span.id)
        assert link.trace_flags & trace.TraceFlags.SAMPLED

    def test_it_is_the_call_s_own_observation_where_known(self, langfuse: Langfuse) -> None:
        with langfuse.start_as_current_observation(name="x") as outer:
            own = langfuse.start_observation(name="y", as_type="generation")
            link = capture_link(own._otel_span)
            own.end()
        assert (link.trace_id, link.parent_id) == (outer.trace_id, own.id)

    def test_a_span_langfuse_does_not_store_is_skipped(
        self, langfuse: Langfuse, provider: TracerProvider
    ) -> None:
        tracer = provider.get_tracer("web-server")
        with (
            langfuse.start_as_current_observation(name="x") as outer,
            tracer.start_as_current_span("SELECT"),
        ):
            link = capture_link()
        assert (link.trace_id, link.parent_id) == (outer.trace_id, outer.id)

    def test_the_same_span_at_the_root_is_no_place(self, provider: TracerProvider) -> None:
        # Its parent would never arrive: the gateway makes a trace with a name instead.
        with (
            provider.get_tracer("web-server").start_as_current_span("GET /"),
            propagate_attributes(**EVERYTHING),
        ):
            assert capture_link() == EVERYTHING_LINKED

    def test_nor_are_several_of_them_inside_each_other(self, provider: TracerProvider) -> None:
        tracer = provider.get_tracer("web-server")
        with (
            tracer.start_as_current_span("GET /"),
            tracer.start_as_current_span("handler"),
            propagate_attributes(**EVERYTHING),
        ):
            assert capture_link() == EVERYTHING_LINKED

    def test_under_an_observation_they_stay_in_its_trace(
        self, langfuse: Langfuse, provider: TracerProvider
    ) -> None:
        tracer = provider.get_tracer("web-server")
        with (
            langfuse.start_as_current_observation(name="x") as outer,
            tracer.start_as_current_span("handler"),
            tracer.start_as_current_span("SELECT"),
        ):
            assert capture_link().trace_id == outer.trace_id

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
            assert capture_link().project == sha256(b"pk-unit").hexdigest()[:16]
            with provider.get_tracer("openinference.x").start_as_current_span("y"):
                assert capture_link().project is None

    @pytest.mark.parametrize("scope", ["openinference.instrumentation.x", "pydantic-ai"])
    def test_an_llm_instrumentor_s_span_is_an_observation(
        self, langfuse: Langfuse, provider: TracerProvider, scope: str
    ) -> None:
        with (
            langfuse.start_as_current_observation(name="x"),
            provider.get_tracer(scope).start_as_current_span("llm") as span,
        ):
            link = capture_link()
        assert link.parent_id == trace.format_span_id(span.get_span_context().span_id)

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


class TestAmbientValues:
    def test_without_a_span_they_are_all_there(self) -> None:
        with propagate_attributes(**EVERYTHING):
            assert capture_link() == EVERYTHING_LINKED
        assert capture_link() == Link()

    @pytest.mark.parametrize("outside", [True, False])
    def test_with_a_span_they_are_there_too(self, langfuse: Langfuse, outside: bool) -> None:
        ambient = propagate_attributes(**EVERYTHING)
        span = langfuse.start_as_current_observation(name="x")
        with ambient if outside else span, span if outside else ambient:
            link = capture_link()
        assert link.trace_id
        assert (link.user_id, link.session_id, link.tags) == ("ann", "s1", ("a", "b"))
        assert (link.trace_name, link.environment, link.version) == ("chat", "test", "1.2")
        assert link.metadata == (("team", "red"), ("plan", "pro"))
        assert link.prompt == PromptRef("ambient", 2)

    def test_the_innermost_wins_and_tags_add_up(self) -> None:
        with (
            propagate_attributes(user_id="ann", tags=["a"]),
            propagate_attributes(user_id="bob", tags=["b"]),
        ):
            link = capture_link()
        assert (link.user_id, link.tags) == ("bob", ("a", "b"))

    def test_a_value_set_on_the_span_alone_counts(self, provider: TracerProvider) -> None:
        values = {"user.id": "ann", "session.id": "s1", "langfuse.trace.tags": ("a",)}
        tracer = provider.get_tracer("langfuse-sdk")
        with tracer.start_as_current_span("x", attributes=values):
            link = capture_link()
            with propagate_attributes(user_id="bob"):
                assert capture_link().user_id == "bob"
        assert (link.user_id, link.session_id, link.tags) == ("ann", "s1", ("a",))

    def test_they_arrive_by_baggage_alone(self) -> None:
        wire: dict[str, str] = {}
        with propagate_attributes(**{**EVERYTHING, "tags": ["a"]}, as_baggage=True):
            W3CBaggagePropagator().inject(wire)
        with attached(W3CBaggagePropagator().extract(wire, otel_context.Context())):
            link = capture_link()
        assert (link.user_id, link.session_id, link.trace_name) == ("ann", "s1", "chat")
        assert (link.environment, link.prompt) == ("test", PromptRef("ambient", 2))
        assert (link.version, dict(link.metadata)) == ("1.2", {"team": "red", "plan": "pro"})

    def test_the_context_goes_before_baggage(self) -> None:
        with (
            attached(baggage.set_baggage("langfuse_user_id", "eve")),
            propagate_attributes(user_id="ann"),
        ):
            assert capture_link().user_id == "ann"

    @pytest.mark.parametrize("text", ["Zoë", "用户", "🙂", "a b", "x" * 200])
    def test_any_text_langfuse_takes_passes(self, text: str) -> None:
        with propagate_attributes(user_id=text, session_id=text, tags=[text], trace_name=text):
            link = capture_link()
        assert (link.user_id, link.session_id, link.tags) == (text, text, (text,))
        assert link.trace_name == text

    @pytest.mark.parametrize("value", ["s" * 300, "", 7, "\ud83d", "a\udc00b"])
    def test_what_langfuse_would_drop_is_left_out_and_logged_once(
        self, provider: TracerProvider, value: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        tracer = provider.get_tracer("langfuse-sdk")
        attributes = {"session.id": value, "user.id": "ann"}
        with tracer.start_as_current_span("x", attributes=attributes):
            links = [capture_link() for _ in range(3)]
        assert {(link.session_id, link.user_id) for link in links} == {(None, "ann")}
        (record,) = caplog.records
        assert "session_id" in record.getMessage()
        assert "1 to 200 characters" in record.getMessage()
        assert len(record.getMessage()) < 200

    def test_one_odd_tag_leaves_the_others(self, caplog: pytest.LogCaptureFixture) -> None:
        with attached(baggage.set_baggage("langfuse_tags", ["a", "t" * 300, "b"])):
            assert capture_link().tags == ("a", "b")
        assert len(caplog.records) == 1

    def test_tags_are_sent_once_each_and_only_so_many(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        many = [str(number // 2) for number in range(10_000)]
        with attached(otel_context.set_value("langfuse.propagated.tags", many)):
            assert capture_link().tags == tuple(map(str, range(50)))
        assert len(caplog.records) == 1

    def test_of_metadata_only_so_many_entries_are_sent(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        many = {str(number): "x" for number in range(51)}
        with attached(otel_context.set_value("langfuse.propagated.metadata", many)):
            assert capture_link().metadata == tuple(many.items())[:50]
        assert len(caplog.records) == 1

    def test_somebody_s_own_kind_of_text_is_sent_as_text(self) -> None:
        class Team(str, Enum):
            RED = "red"

        with propagate_attributes(user_id=Team.RED, metadata={"team": Team.RED}):
            link = capture_link()
        assert type(link.user_id) is str
        assert (link.user_id, link.metadata) == ("red", (("team", "red"),))


class TestEnvironment:
    """It is where Langfuse stores the call's own observation."""

    @pytest.fixture
    def staging(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Langfuse]:
        monkeypatch.setenv("LANGFUSE_TRACING_ENVIRONMENT", "staging")
        client = Langfuse(
            public_key="pk-staging",
            secret_key="sk-unit",
            base_url="http://127.0.0.1:9",
            tracer_provider=TracerProvider(resource=Resource({"langfuse.environment": "staging"})),
            span_exporter=InMemorySpanExporter(),
        )
        yield client
        client.shutdown()

    def test_langfuse_s_own_setting(self, staging: Langfuse) -> None:
        with staging.start_as_current_observation(name="x"):
            assert capture_link().environment == "staging"
            with propagate_attributes(environment="batch"):
                own = staging.start_observation(name="y", as_type="generation")
                assert capture_link(own._otel_span).environment == "batch"
                own.end()

    def test_of_another_instrumentation_s_span_it_is_on_the_resource(
        self, staging: Langfuse
    ) -> None:
        tracer = staging._resources.tracer_provider.get_tracer("openinference.x")  # type: ignore[union-attr]
        with tracer.start_as_current_span("y"):
            assert capture_link().environment == "staging"
            with propagate_attributes(environment="batch"):
                assert capture_link().environment == "batch"

    @pytest.mark.parametrize("value", ["Prod", "langfuse-x", "a b", "x" * 41, "\ud800", "", 7])
    def test_one_that_langfuse_does_not_know_is_left_out(
        self, value: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        with attached(baggage.set_baggage("langfuse_environment", value)):
            assert capture_link() == Link()
        assert len(caplog.records) == 1


class TestOfOneCall:
    """``langfuse.openai`` writes what a call's ``metadata`` says on its generation."""

    GIVEN: ClassVar[dict[str, Any]] = {
        "langfuse_user_id": "ann",
        "langfuse_session_id": "s1",
        "langfuse_tags": ["a", "b"],
    }

    def test_user_session_and_tags(self, langfuse: Langfuse) -> None:
        own = langfuse.start_observation(name="y", as_type="generation", metadata=self.GIVEN)
        link = capture_link(own._otel_span)
        own.end()
        assert (link.user_id, link.session_id, link.tags) == ("ann", "s1", ("a", "b"))

    def test_the_ambient_ones_go_first_as_on_the_server(self, langfuse: Langfuse) -> None:
        with propagate_attributes(user_id="bob"):
            own = langfuse.start_observation(name="y", as_type="generation", metadata=self.GIVEN)
            link = capture_link(own._otel_span)
            own.end()
        assert (link.user_id, link.session_id) == ("bob", "s1")

    @pytest.mark.parametrize("value", ['"ann"', "ann"])
    def test_as_each_release_of_the_sdk_writes_it(
        self, provider: TracerProvider, value: str
    ) -> None:
        attributes = {
            "langfuse.observation.metadata.langfuse_user_id": value,
            "langfuse.trace.metadata.team": value,
            "langfuse.trace.metadata.count": "3",
        }
        tracer = provider.get_tracer("langfuse-sdk")
        with tracer.start_as_current_span("x", attributes=attributes):
            link = capture_link()
        assert link.user_id == "ann"
        assert link.metadata == (("team", "ann"), ("count", "3"))


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
