"""A call is in the environment where Langfuse stores its own observation, or would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langfuse import Langfuse, propagate_attributes
from langfuse._client.resource_manager import LangfuseResourceManager
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from tracesplice._request import capture_link, link_request
from tracesplice_wire import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


from unit.langfuse_ambient import attached


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

    def test_langfuse_s_own_goes_before_that_of_other_conventions(self, staging: Langfuse) -> None:
        tracer = staging._resources.tracer_provider.get_tracer("openlit.x")  # type: ignore[union-attr]
        with tracer.start_as_current_span("y", attributes={"deployment.environment": "default"}):
            assert capture_link().environment == "staging"

    @pytest.mark.parametrize("value", ["Prod", "langfuse-x", "a b", "x" * 41, "\ud800", "", 7])
    def test_one_that_langfuse_does_not_know_is_left_out(
        self, value: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        with attached(baggage.set_baggage("langfuse_environment", value)):
            assert capture_link() == Link()
        assert len(caplog.records) == 1


class TestEnvironmentOutsideObservations:
    """It is that of the client that would make one."""

    @pytest.fixture(autouse=True)
    def clients(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, LangfuseResourceManager]:
        clients: dict[str, LangfuseResourceManager] = {}
        monkeypatch.setattr(LangfuseResourceManager, "_instances", clients)
        return clients

    @pytest.fixture
    def make(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Langfuse]]:
        made: list[Langfuse] = []

        def make(**options: Any) -> Langfuse:
            client = Langfuse(
                public_key=f"pk-outside-{len(made)}",
                secret_key="sk-unit",
                base_url="http://127.0.0.1:9",
                tracer_provider=TracerProvider(sampler=options.pop("sampler", None)),
                span_exporter=InMemorySpanExporter(),
                **options,
            )
            made.append(client)
            return client

        yield make
        for client in made:
            client.shutdown()

    def test_that_of_the_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LANGFUSE_TRACING_ENVIRONMENT", "staging")
        request = link_request({}, {})
        assert request.body["litellm_metadata"]["trace_environment"] == "staging"
        with propagate_attributes(environment="batch"):
            assert capture_link().environment == "batch"

    def test_that_of_a_client_whether_or_not_it_traces(
        self, make: Callable[..., Langfuse], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LANGFUSE_TRACING_ENABLED", "false")
        client = make(environment="staging")
        assert capture_link().environment == "staging"
        with client.start_as_current_observation(name="x"):
            assert capture_link() == Link(environment="staging")

    def test_in_a_span_that_is_not_stored(
        self, make: Callable[..., Langfuse], provider: TracerProvider
    ) -> None:
        make(environment="staging")
        with provider.get_tracer("flask").start_as_current_span("x"):
            assert capture_link().environment == "staging"

    def test_in_one_that_is_not_sampled(self, make: Callable[..., Langfuse]) -> None:
        client = make(environment="staging", sampler=ALWAYS_OFF)
        with client.start_as_current_observation(name="x"):
            link = capture_link()
        assert (link.environment, link.is_sampled) == ("staging", False)
        assert link.trace_id

    @pytest.mark.parametrize("in_server_span", [False, True])
    def test_in_one_of_another_process(
        self, make: Callable[..., Langfuse], provider: TracerProvider, in_server_span: bool
    ) -> None:
        make(environment="staging")
        ids = trace.SpanContext(1, 2, is_remote=True, trace_flags=trace.TraceFlags(1))
        around = trace.set_span_in_context(trace.NonRecordingSpan(ids), otel_context.Context())
        if in_server_span:
            span = provider.get_tracer("flask").start_span("x", context=around)
            around = trace.set_span_in_context(span, around)
        with attached(around):
            link = capture_link()
        assert (link.environment, link.parent_id) == ("staging", f"{2:016x}")

    def test_an_observation_of_another_provider_s_has_none(
        self, make: Callable[..., Langfuse], provider: TracerProvider
    ) -> None:
        make(environment="staging")
        with provider.get_tracer("openinference.x").start_as_current_span("x"):
            assert capture_link().environment is None

    def test_none_where_clients_differ(self, make: Callable[..., Langfuse]) -> None:
        make(environment="staging")
        assert capture_link().environment == "staging"
        make(environment="batch")
        assert capture_link().environment is None

    @pytest.mark.parametrize("name", ["Staging", "langfuse-x", "x" * 300])
    def test_one_that_langfuse_does_not_take_is_left_out(
        self, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv("LANGFUSE_TRACING_ENVIRONMENT", name)
        assert capture_link() == Link()
        assert "environment" in caplog.text
