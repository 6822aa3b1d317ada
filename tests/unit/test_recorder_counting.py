"""What Langfuse counts, and what it says of a whole trace."""

from __future__ import annotations

from typing import Any

import pytest

from rig.recorder import Recorder
from rig.recorder._usage import usage_details
from unit.recorder_requests import COST, GENERATION, TRACE, USAGE, kinds, observed, send, span


class TestCounting:
    def test_what_is_given_is_taken(self, rec: Recorder) -> None:
        given = {USAGE: '{"input": 3, "output": 4}', COST: '{"total": 0.5}'}
        observation = observed(rec, **given, **{"gen_ai.request.model": "m"})
        assert observation.usage == {"input": 3, "output": 4, "total": 7}
        assert (observation.cost, observation.estimated) == (0.5, False)

    def test_spans_count_too(self, rec: Recorder) -> None:
        observation = observed(
            rec, **{GENERATION: "span", USAGE: '{"input": 3}', COST: '{"total": 1}'}
        )
        assert (observation.usage["total"], observation.cost) == (3, 1)

    def test_usage_alone_is_priced(self) -> None:
        with Recorder(prices={"dear": {"input": 1.0, "output": 10.0}}) as rec:
            usage = {USAGE: '{"input": 2, "output": 1, "other": 9}'}
            assert observed(rec, **usage, **{"llm.model_name": "dear"}).cost == 12
            assert observed(rec, **usage, **{"llm.model_name": "m"}).cost == pytest.approx(4e-6)
            assert observed(rec, **usage).cost == 0

    def test_neither_is_tokenised_and_priced(self, rec: Recorder) -> None:
        texts = {"langfuse.observation.input": "x" * 40, "langfuse.observation.output": "y" * 9}
        observation = observed(rec, **texts, **{"gen_ai.request.model": "m"})
        assert observation.usage == {"input": 10, "output": 3, "total": 13}
        assert observation.estimated
        assert observation.cost == pytest.approx(16e-6)

    def test_zeroes_are_not_tokenised(self, rec: Recorder) -> None:
        zero = {USAGE: '{"input": 0, "output": 0}', COST: '{"total": 0}'}
        observation = observed(rec, **zero, **{"gen_ai.request.model": "m", "input": "x" * 40})
        assert (observation.usage["total"], observation.cost) == (0, 0)
        assert not observation.estimated

    def test_a_cost_of_zero_beats_the_price(self, rec: Recorder) -> None:
        given = {USAGE: '{"input": 10}', COST: '{"total": 0}', "gen_ai.request.model": "m"}
        assert observed(rec, **given).cost == 0

    def test_a_cost_without_usage_is_still_tokenised(self, rec: Recorder) -> None:
        given = {COST: '{"total": 0.5}', "gen_ai.request.model": "m", "input": "x" * 40}
        observation = observed(rec, **given)
        assert (observation.cost, observation.usage["input"]) == (0.5, 10)

    def test_no_model_or_an_error_is_not_tokenised(self, rec: Recorder) -> None:
        assert observed(rec, **{GENERATION: "generation", "input": "x" * 40}).usage == {}
        failed = {"langfuse.observation.level": "ERROR", "gen_ai.request.model": "m"}
        assert observed(rec, **failed, input="x" * 40).usage == {}

    def test_costs_by_kind_need_a_total(self, rec: Recorder) -> None:
        assert observed(rec, **{COST: '{"input": 1, "output": 2}'}).cost == 3
        assert observed(rec, **{COST: '{"input": 1, "cached": 2}'}).cost == 0
        assert kinds(rec) == ["cost"]

    @pytest.mark.parametrize(
        "given", [{USAGE: '{"input": -1}'}, {USAGE: '{"input": "3"}'}, {COST: '{"total": "1"}'}]
    )
    def test_malformed_numbers_drop_the_observation(
        self, rec: Recorder, given: dict[str, Any]
    ) -> None:
        send(rec, span(**given, **{GENERATION: "generation"}))
        assert (rec.observations(), kinds(rec)) == ([], ["dropped"])

    def test_semantic_conventions_count(self, rec: Recorder) -> None:
        given = {"gen_ai.usage.input_tokens": 3, "gen_ai.usage.completion_tokens": 4}
        observation = observed(rec, **given, **{"gen_ai.usage.cost": 0.25})
        assert (observation.usage, observation.cost) == (
            {"input": 3, "output": 4, "total": 7},
            0.25,
        )
        counts = {"llm.token_count.prompt": 5, "llm.token_count.completion": 6}
        assert observed(rec, **counts).usage == {"input": 5, "output": 6, "total": 11}

    def test_details_of_openai_are_taken_off_the_plain_counts(self) -> None:
        plain = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        given = plain | {"prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": None}}
        expected = {"input": 6, "input_cached_tokens": 4, "output": 5, "total": 15}
        assert usage_details(given) == expected

    def test_nested_generations_are_counted_twice(self, rec: Recorder) -> None:
        usage = {GENERATION: "generation", USAGE: '{"input": 10}', COST: '{"total": 0.1}'}
        send(rec, span(1), span(2, 1, **usage), span(3, 2, **usage))
        (trace,) = rec.traces()
        assert trace.usage == {"input": 20, "total": 20}
        assert trace.cost == pytest.approx(0.2)

    def test_cost_by_user_counts_only_who_carries_the_id(self, rec: Recorder) -> None:
        owner = {"user.id": "u", "session.id": "s"}
        send(
            rec,
            span(1, **owner),
            span(2, 1, **{COST: '{"total": 1}'}),
            span(3, 1, **owner, **{COST: '{"total": 2}'}),
        )
        assert rec.traces()[0].cost == 3
        assert (rec.cost_by_user(), rec.cost_by_session()) == ({"u": 2}, {"s": 2})


class TestTraces:
    def test_structure(self, rec: Recorder) -> None:
        send(rec, span(3, 1), span(2, 1), span(1, 9))
        (trace,) = rec.traces()
        one, two, three = trace.observations
        assert (trace.roots(), trace.children(one.id)) == ((one,), (two, three))
        assert [line.lstrip().split()[0] for line in trace.tree().splitlines()] == [
            "trace",
            *["SPAN"] * 3,
        ]
        assert rec.trace(TRACE) == trace
        assert rec.trace("other") is None

    def test_the_root_names_the_trace_unless_told_otherwise(self, rec: Recorder) -> None:
        send(rec, span(2, 1), span(1, **{"langfuse.observation.input": "in"}))
        assert [(t.name, t.input) for t in rec.traces()] == [("span 1", "in")]
        send(rec, span(3, 1, **{"langfuse.trace.name": "told"}))
        assert rec.traces()[0].name == "told"

    def test_without_a_root_a_trace_has_no_name(self, rec: Recorder) -> None:
        send(rec, span(2, 1))
        assert rec.traces()[0].name is None

    def test_the_latest_starting_write_wins_in_any_order(self, rec: Recorder) -> None:
        late = span(3, 1, **{"langfuse.trace.output": "late", "user.id": "v"})
        early = span(2, 1, **{"langfuse.trace.output": "early", "session.id": "s"})
        send(rec, late, early)
        (trace,) = rec.traces()
        assert (trace.output, trace.user_id, trace.session_id) == ("late", "v", "s")

    def test_the_same_span_again_replaces_the_first(self, rec: Recorder) -> None:
        send(rec, span(1, **{"langfuse.observation.level": "LOUD"}))
        send(rec, span(1))
        assert (len(rec.observations()), rec.problems()) == (1, [])

    def test_a_refused_span_leaves_the_one_before(self, rec: Recorder) -> None:
        send(rec, span(1))
        send(rec, span(1, **{"langfuse.observation.level": "LOUD"}))
        assert (len(rec.observations()), kinds(rec)) == (1, ["dropped"])

    def test_the_environment_stays_that_of_the_first_to_arrive(self, rec: Recorder) -> None:
        send(rec, span(2, 1, **{"langfuse.environment": "first"}), span(1))
        assert [t.environment for t in rec.traces()] == ["first"]
