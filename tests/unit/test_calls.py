"""Which observations are known to describe a call that the gateway reports."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from tracesplice._calls import Calls, Known, calls
from tracesplice._claim import REPORTS_HEADER, claim_usage
from tracesplice._langfuse import capture_link
from tracesplice._places import note_foreign_call

if TYPE_CHECKING:
    from langfuse import Langfuse

PLACES = st.tuples(st.sampled_from("ab"), st.sampled_from("cdef"))


def says(known: Calls, place: tuple[str, str]) -> bool | None:
    """Whether the gateway reports all calls of an observation; None where none was answered."""
    found = known.find(place)
    return None if found is None else found.reported and not found.kept


class TestRegistry:
    @given(st.lists(st.tuples(PLACES, st.booleans())))
    def test_an_observation_is_reported_if_all_its_calls_are(
        self, notes: list[tuple[tuple[str, str], bool]]
    ) -> None:
        known = Calls()
        for place, reports in notes:
            known.answered([place], reports)
        for place in {place for place, _ in notes}:
            assert says(known, place) is all(reports for each, reports in notes if each == place)
        assert known.find(("x", "y")) is None

    @given(st.integers(1, 20), st.integers(0, 60))
    def test_it_holds_the_latest_up_to_its_limit(self, limit: int, count: int) -> None:
        known = Calls(limit)
        for number in range(count):
            known.answered([("t", str(number))], True)
        held = [number for number in range(count) if says(known, ("t", str(number)))]
        assert held == list(range(max(0, count - limit), count))

    @given(st.integers(1, 20), st.integers(0, 60))
    def test_what_is_exported_makes_room(self, limit: int, count: int) -> None:
        known = Calls(limit, 5)
        known.answered([("t", "a stream")], True)
        for number in range(count):
            known.answered([("t", str(number))], True)
            known.note_exported([("t", str(number)), ("t", "of no call")])
        assert says(known, ("t", "a stream")) is (True if limit > 1 or not count else None)
        held = [number for number in range(count) if says(known, ("t", str(number)))]
        assert held == list(range(max(0, count - 5), count))
        assert known.find(("t", "of no call")) is None

    def test_what_is_exported_may_turn_out_to_be_of_an_unreported_call_too(self) -> None:
        known = Calls()
        known.answered([("t", "a")], True)
        known.note_exported([("t", "a")])
        known.answered([("t", "a")], False)
        assert says(known, ("t", "a")) is False

    @given(st.lists(st.booleans(), max_size=400))
    def test_of_very_many_inside_it_keeps_what_decides(self, inside: list[bool]) -> None:
        known = Known()
        for number, reports in enumerate(inside):
            known.note_inside(str(number), reports, 1.0)
        assert len(known.inside) <= 100
        kept = known.kept or any(not reports for reports, _ in known.inside.values())
        assert kept is not all(inside)

    def test_threads_do_not_disturb_each_other(self) -> None:
        known = Calls(50)

        def work(name: str) -> bool:
            for number in range(2_000):
                known.answered([(name, str(number))], True)
                known.note_exported([(name, str(number - 1))])
            return True

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(work, "abcd"))
        assert all(says(known, (name, "1999")) for name in "abcd")

    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_a_fork_at_any_moment_leaves_a_child_that_can_note(self) -> None:
        done = Event()

        def work() -> None:
            number = 0
            while not done.is_set():
                number += 1
                calls.answered([("t", str(number))], True)

        noting = Thread(target=work)
        noting.start()
        try:
            for _ in range(10):
                child = os.fork()
                if child == 0:
                    signal.alarm(20)  # one that hangs is killed
                    calls.answered([("t", "child")], True)
                    os._exit(0)
                assert os.waitpid(child, 0)[1] == 0
        finally:
            done.set()
            noting.join()


class TestClaim:
    def test_a_call_in_no_trace_claims_nothing(self) -> None:
        assert claim_usage(capture_link()).places == ()

    def test_the_current_span_s(self, langfuse: Langfuse) -> None:
        with langfuse.start_as_current_observation(name="s") as span:
            assert claim_usage(capture_link()).places == ((span.trace_id, span.id),)

    def test_a_generation_s_and_what_is_around_it(self, langfuse: Langfuse) -> None:
        with (
            langfuse.start_as_current_observation(name="s") as outer,
            langfuse.start_as_current_observation(name="g", as_type="generation") as inner,
        ):
            found = claim_usage(capture_link()).places
        assert found == ((inner.trace_id, inner.id), (outer.trace_id, outer.id))

    def test_one_of_an_instrumentation_that_says_late_what_it_is(
        self, langfuse: Langfuse, provider: TracerProvider
    ) -> None:
        tracer = provider.get_tracer("openinference.instrumentation.any")
        with (
            langfuse.start_as_current_observation(name="s") as outer,
            tracer.start_as_current_span("late") as span,
        ):
            late = claim_usage(capture_link()).places
            span.set_attribute("openinference.span.kind", "CHAIN")
            said = claim_usage(capture_link()).places
        assert (outer.trace_id, outer.id) in late
        assert (outer.trace_id, outer.id) not in said

    def test_one_in_a_generation_that_is_current(self, langfuse: Langfuse) -> None:
        with (
            langfuse.start_as_current_observation(name="s") as outer,
            langfuse.start_as_current_observation(name="g", as_type="generation") as current,
        ):
            generation = langfuse.start_observation(name="h", as_type="generation")
            span = generation._otel_span
            found = claim_usage(capture_link(span), span).places
            generation.end()
        assert [place[1] for place in found] == [generation.id, current.id, outer.id]

    @pytest.mark.parametrize(
        ("scope", "attributes", "expected"),
        [
            ("any", {"gen_ai.operation.name": "chat"}, True),
            ("langfuse-sdk", {"langfuse.observation.type": "span"}, False),
            ("openinference.instrumentation.any", {}, True),
            ("openinference.instrumentation.any", {"openinference.span.kind": "CHAIN"}, False),
            ("web-server", {}, False),
        ],
    )
    def test_it_knows_whether_langfuse_counts_it(
        self, provider: TracerProvider, scope: str, attributes: dict[str, str], expected: bool
    ) -> None:
        with provider.get_tracer(scope).start_as_current_span("s", attributes=attributes):
            assert claim_usage(capture_link()).is_generation is expected

    def test_a_parent_in_another_process_is_claimed_by_its_ids(self) -> None:
        span = NonRecordingSpan(SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1)))
        with use_span(span):
            claim = claim_usage(capture_link())
        assert claim.places == (("1".zfill(32), "2".zfill(16)),)
        assert not claim.is_generation

    def test_one_that_is_not_current(self, langfuse: Langfuse) -> None:
        generation = langfuse.start_observation(name="g", as_type="generation")
        span = generation._otel_span
        found = claim_usage(capture_link(span), span).places
        generation.end()
        assert found == ((generation.trace_id, generation.id),)

    def test_nothing_where_the_trace_is_not_sampled(self) -> None:
        tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("langfuse-sdk")
        with tracer.start_as_current_span("s"):
            assert claim_usage(capture_link()).places == ()

    @pytest.mark.parametrize(
        ("headers", "reports"),
        [
            ({}, True),
            ({REPORTS_HEADER: "true"}, True),
            ({REPORTS_HEADER: " False "}, False),
            ({REPORTS_HEADER: "perhaps"}, False),
            ({REPORTS_HEADER: "true, false"}, False),
            ({REPORTS_HEADER: "true, true"}, True),
            ({REPORTS_HEADER: ""}, True),
        ],
    )
    def test_the_answer_says_whether_it_is_reported(
        self, langfuse: Langfuse, headers: dict[str, str], reports: bool
    ) -> None:
        with langfuse.start_as_current_observation(name="g", as_type="generation") as span:
            claim = claim_usage(capture_link())
        assert says(calls, (span.trace_id, span.id)) is False
        claim.answered(headers)
        assert says(calls, (span.trace_id, span.id)) is reports

    def test_a_foreign_call_keeps_the_figures_of_what_is_around_it(
        self, langfuse: Langfuse
    ) -> None:
        with (
            langfuse.start_as_current_observation(name="s"),
            langfuse.start_as_current_observation(name="g", as_type="generation") as outer,
        ):
            inner = langfuse.start_observation(name="h", as_type="generation")
            claim_usage(capture_link()).answered({})
            assert says(calls, (outer.trace_id, outer.id)) is True
            note_foreign_call(inner._otel_span)
            inner.end()
        for each in (inner, outer):
            assert says(calls, (each.trace_id, each.id)) is False

    def test_a_foreign_call_in_no_generation_is_nothing_to_remember(
        self, langfuse: Langfuse
    ) -> None:
        note_foreign_call()
        with langfuse.start_as_current_observation(name="s") as span:
            note_foreign_call()
        assert calls.find((span.trace_id, span.id)) is None
