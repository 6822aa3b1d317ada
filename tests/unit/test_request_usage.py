"""Which observations of the client a linked request is counted by, and who counts it."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any
from weakref import ref

import httpx
import openai
import pytest
from openai._models import FinalRequestOptions
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

import tracesplice
from tracesplice._calls import calls
from tracesplice._places import note_foreign_call, place_of
from tracesplice.adapter import Link, capture_link, link_request, with_observation
from tracesplice_wire import REPORTS

if TYPE_CHECKING:
    from langfuse import Langfuse

pytestmark = pytest.mark.usefixtures("nothing_reported")


def noted(own: Any = None, **options: Any) -> list[str]:
    """The span ids of the observations that a call is noted of."""
    calls.clear()
    link_request({}, {}, observation=own, **options)
    return [span_id for _, span_id in calls._open]


def remote() -> NonRecordingSpan:
    return NonRecordingSpan(SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1)))


def says(observation: Any) -> bool | None:
    """Whether the gateway reports all calls of an observation; None where there were none."""
    found = calls.find((observation.trace_id, observation.id))
    return None if found is None else found.reported and not found.kept


class TestWithoutAMask:
    """Nobody asks, so nothing is kept."""

    def test_nothing_is_noted(self, langfuse: Langfuse, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(calls, "is_used", False)
        with langfuse.start_as_current_observation(name="g", as_type="generation") as span:
            link_request({}, {}).answered({REPORTS: "true"})
            note_foreign_call()
        assert calls.find((span.trace_id, span.id)) is None

    def test_nor_is_the_answer_read_for_what_is_no_generation(
        self, langfuse: Langfuse, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(calls, "is_used", False)
        with langfuse.start_as_current_observation(name="s"):
            link_request({}, {}).answered(Unreadable())

    def test_a_call_that_is_answered_with_a_mask_that_was_made_meanwhile_is_reported(
        self, langfuse: Langfuse, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(calls, "is_used", False)
        with langfuse.start_as_current_observation(name="g", as_type="generation") as span:
            linked = link_request({}, {})
            tracesplice.count_usage_once()
            linked.answered({REPORTS: "true"})
        assert says(span) is True


class Unreadable(dict[str, str]):
    """Headers that nobody is to read."""

    def get(self, *_: object) -> Any:
        raise AssertionError


class TestPlaces:
    def test_in_no_trace_there_is_none(self) -> None:
        assert noted() == []

    def test_nor_in_one_that_is_not_sampled(self) -> None:
        tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("langfuse-sdk")
        with tracer.start_as_current_span("s"):
            assert noted() == []

    def test_an_observation_in_another_process_is_known_by_its_ids(self) -> None:
        with use_span(remote()):
            assert noted() == [f"{2:016x}"]

    def test_what_is_around_a_generation_describes_the_call_too(self, langfuse: Langfuse) -> None:
        start = langfuse.start_as_current_observation
        with start(name="s") as outer:
            assert noted() == [outer.id]
            with start(name="g", as_type="generation") as current:
                assert noted() == [current.id, outer.id]
                own = langfuse.start_observation(name="h", as_type="generation")
                assert noted(own._otel_span) == [own.id, current.id, outer.id]
                own.end()
        alone = langfuse.start_observation(name="g", as_type="generation")
        assert noted(alone._otel_span) == [alone.id]
        alone.end()

    def test_one_of_an_instrumentation_that_says_late_what_it_is(
        self, langfuse: Langfuse, provider: TracerProvider
    ) -> None:
        tracer = provider.get_tracer("openinference.instrumentation.any")
        with (
            langfuse.start_as_current_observation(name="s") as outer,
            tracer.start_as_current_span("late") as span,
        ):
            assert outer.id in noted()
            span.set_attribute("openinference.span.kind", "CHAIN")
            assert outer.id not in noted()

    def test_a_link_captured_before_is_counted_where_it_was(self, langfuse: Langfuse) -> None:
        start = langfuse.start_as_current_observation
        with start(name="s") as outer, start(name="g", as_type="generation") as own:
            link = capture_link()
            assert noted(link=link) == [own.id, outer.id]
        with start(name="later", as_type="generation"):
            assert noted(link=link) == [own.id]
            assert noted(link=link._replace(trace_flags=0)) == noted(link=Link()) == []


class TestAnswer:
    @pytest.mark.parametrize(
        ("headers", "reports"),
        [
            ({}, True),
            ({REPORTS: "true"}, True),
            ({REPORTS: " False "}, False),
            ({REPORTS: "perhaps"}, False),
            ({REPORTS: "true, false"}, False),
            ({REPORTS: "true, true"}, True),
            ({REPORTS: ""}, True),
            (None, False),
        ],
    )
    def test_it_says_whether_the_call_is_reported(
        self, langfuse: Langfuse, headers: dict[str, str] | None, reports: bool
    ) -> None:
        with langfuse.start_as_current_observation(name="g", as_type="generation") as span:
            request = link_request({}, {})
        assert says(span) is False
        request.answered(headers)
        assert says(span) is reports

    @pytest.mark.parametrize(("written", "reports"), [({"no-log": True}, False), (None, True)])
    def test_without_our_adapter_the_request_says_it(
        self, langfuse: Langfuse, written: dict[str, Any] | None, reports: bool
    ) -> None:
        with langfuse.start_as_current_observation(name="g", as_type="generation") as span:
            link_request(written, {}).answered({})
        assert says(span) is reports

    @pytest.mark.parametrize(
        ("scope", "attributes", "warns"),
        [
            ("any", {"gen_ai.operation.name": "chat"}, True),
            ("langfuse-sdk", {"langfuse.observation.type": "span"}, False),
            ("openinference.instrumentation.any", {}, True),
            ("openinference.instrumentation.any", {"openinference.span.kind": "CHAIN"}, False),
            ("web-server", {}, False),
        ],
    )
    @pytest.mark.parametrize("captured", [True, False])
    def test_without_a_mask_a_generation_s_counts_twice(
        self,
        provider: TracerProvider,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        scope: str,
        attributes: dict[str, str],
        warns: bool,
        captured: bool,
    ) -> None:
        monkeypatch.setattr(calls, "is_used", False)
        with provider.get_tracer(scope).start_as_current_span("s", attributes=attributes):
            request = link_request({}, {}, link=capture_link() if captured else None)
        request.answered(None)
        assert "count twice" not in caplog.text
        request.answered({})
        assert ("count twice" in caplog.text) is warns

    @pytest.mark.parametrize("owner", ["gateway", "client"])
    def test_with_a_mask_none_does(
        self,
        langfuse: Langfuse,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        owner: Any,
    ) -> None:
        monkeypatch.setattr(calls, "is_used", False)
        tracesplice.count_usage_once(owner=owner)
        with langfuse.start_as_current_observation(name="g", as_type="generation"):
            link_request({}, {}).answered({})
        assert caplog.text == ""

    def test_a_span_that_langfuse_does_not_store_counts_nothing(
        self,
        langfuse: Langfuse,
        provider: TracerProvider,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.setattr(calls, "is_used", False)
        tracer = provider.get_tracer("web-server")
        with (
            langfuse.start_as_current_observation(name="s") as outer,
            tracer.start_as_current_span("POST /", attributes={"model": "m"}),
        ):
            assert link_request({}, {})._places == (place_of(outer._otel_span.get_span_context()),)
            link_request({}, {}).answered({})
        assert caplog.text == ""

    def test_an_observation_in_another_process_is_not_ours_to_warn_of(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(calls, "is_used", False)
        with use_span(remote()):
            link_request({}, {}).answered({})
        assert caplog.text == ""

    def test_of_a_link_of_elsewhere_nobody_knows_the_observation(
        self,
        langfuse: Langfuse,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.setattr(calls, "is_used", False)
        with langfuse.start_as_current_observation(name="g", as_type="generation"):
            link = capture_link()
        with langfuse.start_as_current_observation(name="h", as_type="generation"):
            link_request({}, {}, link=link).answered({})
        assert caplog.text == ""


class TestForeignCalls:
    def test_it_keeps_the_figures_of_what_is_around_it(self, langfuse: Langfuse) -> None:
        with (
            langfuse.start_as_current_observation(name="s"),
            langfuse.start_as_current_observation(name="g", as_type="generation") as outer,
        ):
            inner = langfuse.start_observation(name="h", as_type="generation")
            link_request({}, {}).answered({})
            assert says(outer) is True
            note_foreign_call(inner._otel_span)
            inner.end()
        assert (says(inner), says(outer)) == (False, False)

    def test_an_sdk_s_is_that_of_the_calls_own_observation(self, langfuse: Langfuse) -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
        with (
            openai.OpenAI(
                base_url="http://gateway.invalid/v1",
                api_key="k",
                http_client=httpx.Client(transport=transport),
            ) as client,
            langfuse.start_as_current_observation(name="g", as_type="generation"),
        ):
            elsewhere = tracesplice.splice(client).with_options(base_url="http://other.invalid/v1")
            inner = langfuse.start_observation(name="h", as_type="generation")
            options = FinalRequestOptions(method="post", url="/chat/completions", json_data={})
            args, _ = with_observation((object, options), {}, inner._otel_span)
            elsewhere.request(*args)
        assert says(inner) is False

    def test_in_a_span_too_as_an_agent_further_out_may_say_its_usage(
        self, langfuse: Langfuse
    ) -> None:
        note_foreign_call()
        with langfuse.start_as_current_observation(name="s") as span:
            link_request({}, {}).answered({})
            assert says(span) is True
            note_foreign_call()
        assert says(span) is False


def test_a_request_that_is_never_answered_keeps_no_observation_alive(langfuse: Langfuse) -> None:
    # As an HTTP client may keep one that was cancelled.
    tracesplice.count_usage_once()
    with langfuse.start_as_current_observation(name="g", as_type="generation") as own:
        kept = link_request({}, {})
        gone = ref(own._otel_span)
    del own
    langfuse.flush()
    gc.collect()
    assert kept.headers
    assert gone() is None
