"""What Langfuse counts, and what it says of a whole trace."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tracesplice_testing.gateway._config import COSTS
from tracesplice_testing.recorder import Recorder
from tracesplice_testing.recorder._tokens import tokens
from tracesplice_testing.recorder._usage import usage_details
from unit.recorder_requests import (
    COST,
    GENERATION,
    PROMPT,
    TRACE,
    USAGE,
    VERSION,
    kinds,
    observed,
    send,
    span,
)

QUESTION = "What is the capital of France?"
PROMPTED = {GENERATION: "generation", PROMPT: "p"}


class TestCounting:
    def test_what_is_given_is_taken(self, rec: Recorder) -> None:
        given = {USAGE: '{"input": 3, "output": 4}', COST: '{"total": 0.5}'}
        observation = observed(rec, **given, **{"gen_ai.request.model": "m"})
        assert observation.usage == {"input": 3, "output": 4, "total": 7}
        assert (observation.cost, observation.estimated, observation.priced) == (0.5, False, False)

    def test_spans_count_too(self, rec: Recorder) -> None:
        observation = observed(
            rec, **{GENERATION: "span", USAGE: '{"input": 3}', COST: '{"total": 1}'}
        )
        assert (observation.usage["total"], observation.cost) == (3, 1)

    def test_usage_alone_is_priced_where_the_model_is_known(self) -> None:
        with Recorder(prices={"dear": {"input": 1.0, "output": 10.0}}) as rec:
            usage = {USAGE: '{"input": 2, "output": 1, "other": 9}'}
            for name in ("dear", "openai/Dear"):
                assert observed(rec, **usage, **{"llm.model_name": name}).cost == 12
            for model in ({"llm.model_name": "ollama_chat/llama3.2"}, {}):
                observation = observed(rec, **usage, **model)
                assert (observation.usage["total"], observation.cost) == (12, 0)

    @pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-4o", "gpt-3.5-turbo-instruct"])
    def test_its_prices_are_not_the_gateways(self, rec: Recorder, model: str) -> None:
        given = {USAGE: '{"input": 1000, "output": 1000}', "gen_ai.request.model": model}
        cost, gateways = observed(rec, **given).cost, 1000 * sum(COSTS.values())
        assert cost > 0
        assert abs(cost - gateways) > gateways / 10

    def test_neither_is_tokenised_and_priced(self, rec: Recorder) -> None:
        texts = {"langfuse.observation.input": QUESTION, "langfuse.observation.output": "Paris"}
        observation = observed(rec, **texts, **{"gen_ai.request.model": "gpt-4o-mini"})
        assert observation.usage == {"input": 7, "output": 1, "total": 8}
        assert (observation.estimated, observation.priced) == (True, True)
        assert observation.cost == pytest.approx(7 * 1.5e-6 + 6e-6)

    def test_it_may_know_every_model(self) -> None:
        with Recorder(default_prices={"input": 1.0}) as rec:
            given = {"input": QUESTION, "gen_ai.request.model": "ollama_chat/llama3.2"}
            assert observed(rec, **given).cost == 7
            given["gen_ai.request.model"] = "gpt-4o"
            assert observed(rec, **given).cost < 1

    def test_of_an_unknown_model_nothing_is(self, rec: Recorder) -> None:
        given = {"input": QUESTION, "gen_ai.request.model": "ollama_chat/llama3.2"}
        observation = observed(rec, **given)
        assert (observation.usage, observation.cost, observation.estimated) == ({}, 0, False)

    def test_a_failed_call_is_tokenised_and_priced(self, rec: Recorder, old: Recorder) -> None:
        given = {
            "gen_ai.request.model": "gpt-4o-mini",
            "langfuse.observation.input": QUESTION,
            "langfuse.observation.output": "upstream failed",
            "langfuse.observation.level": "ERROR",
        }
        observation = observed(rec, **given)
        assert (observation.level, observation.usage["total"]) == ("ERROR", 9)
        assert observation.cost > 0
        assert (observed(old, **given).usage, observed(old, **given).cost) == ({}, 0)

    @pytest.mark.parametrize(
        ("text", "count"),
        [
            (QUESTION, 7),
            ("Please summarise the conversation now", 6),
            ("y" * 9, 1),
            (json.dumps([{"role": "user", "content": QUESTION}]), 14),
            ([{"role": "user", "content": QUESTION, "name": "Ada"}], 16),
        ],
    )
    def test_tokens_are_more_than_lengths(self, text: Any, count: int) -> None:
        """As OpenAI's tokeniser has them, and with what Langfuse adds for each message."""
        assert tokens(text) == count

    def test_zeroes_are_not_tokenised(self, rec: Recorder) -> None:
        zero = {USAGE: '{"input": 0, "output": 0}', COST: '{"total": 0}'}
        observation = observed(rec, **zero, **{"gen_ai.request.model": "m", "input": "x" * 40})
        assert (observation.usage["total"], observation.cost) == (0, 0)
        assert not observation.estimated

    def test_a_cost_of_zero_beats_the_price(self, rec: Recorder) -> None:
        given = {USAGE: '{"input": 10}', COST: '{"total": 0}', "gen_ai.request.model": "m"}
        assert observed(rec, **given).cost == 0

    def test_a_cost_without_usage_invents_no_tokens(self, rec: Recorder) -> None:
        given = {COST: '{"total": 0.5}', "gen_ai.request.model": "gpt-4o", "input": QUESTION}
        observation = observed(rec, **given)
        assert (observation.cost, observation.usage, observation.estimated) == (0.5, {}, False)

    def test_a_cost_below_zero_counts(self, rec: Recorder, old: Recorder) -> None:
        given = {GENERATION: "generation", COST: '{"total": -0.5}'}
        assert observed(rec, **given).cost == -0.5
        assert (observed(old, **given).cost, kinds(old)) == (0, ["value"])

    def test_no_model_is_not_tokenised(self, rec: Recorder) -> None:
        assert observed(rec, **{GENERATION: "generation", "input": QUESTION}).usage == {}

    def test_an_agent_that_sums_up_its_calls_does_not_count(self, rec: Recorder) -> None:
        given = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 3}
        observation = observed(rec, **given, **{"gen_ai.request.model": "gpt-4o"})
        assert (observation.usage, observation.cost, observation.model) == ({}, 0, None)

    def test_costs_by_kind_need_a_total(self, rec: Recorder) -> None:
        assert observed(rec, **{COST: '{"input": 1, "output": 2}'}).cost == 3
        assert observed(rec, **{COST: '{"input": 1, "cached": 2}'}).cost == 0
        assert kinds(rec) == ["cost"]

    @pytest.mark.parametrize(
        ("given", "usage"),
        [
            ({USAGE: '{"input": -1, "output": 2}'}, {"output": 2, "total": 2}),
            ({USAGE: '{"input": 1.5}'}, {}),
            ({USAGE: '{"input": "many"}'}, {}),
            ({COST: '{"total": "1"}'}, {}),
        ],
    )
    def test_malformed_numbers_are_left_out_alone(
        self, rec: Recorder, old: Recorder, given: dict[str, Any], usage: dict[str, int]
    ) -> None:
        for recorder in (rec, old):
            observation = observed(recorder, **given, **{GENERATION: "generation"})
            assert (observation.usage, observation.cost) == (usage, 0)
            assert kinds(recorder) == ["value"]

    def test_digits_as_text_are_a_count(self, rec: Recorder) -> None:
        assert observed(rec, **{USAGE: '{"input": "3"}'}).usage == {"input": 3, "total": 3}

    def test_semantic_conventions_count(self, rec: Recorder) -> None:
        given = {"gen_ai.usage.input_tokens": 3, "gen_ai.usage.completion_tokens": 4}
        observation = observed(rec, **given, **{"gen_ai.usage.cost": 0.25})
        assert (observation.usage, observation.cost) == (
            {"input": 3, "output": 4, "total": 7},
            0.25,
        )
        counts = {"llm.token_count.prompt": 5, "llm.token_count.completion": 6}
        assert observed(rec, **counts).usage == {"input": 5, "output": 6, "total": 11}

    @pytest.mark.parametrize("key", ["gen_ai.usage.cost", "llm.cost.total"])
    def test_the_conventions_costs_count_zero_too(self, rec: Recorder, key: str) -> None:
        given = {"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 3}
        assert observed(rec, **given, **{key: 0}).cost == 0
        assert observed(rec, **given, **{key: 0.25}).cost == 0.25
        assert observed(rec, **given).cost == pytest.approx(3 * 25e-6)

    def test_the_conventions_details_are_taken_off_the_plain_counts(self, rec: Recorder) -> None:
        plain = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5}
        details = {"gen_ai.usage.cache_read.input_tokens": 4, "gen_ai.usage.details.other": 0}
        assert observed(rec, **plain, **details).usage == {
            "input": 6,
            "input_cached_tokens": 4,
            "output": 5,
            "other": 0,
            "total": 15,
        }
        plain = {f"llm.token_count.{k}": v for k, v in (("prompt", 10), ("completion", 5))}
        details = {
            "llm.token_count.prompt_details.cache_read": 3,
            "llm.token_count.prompt_details.cache_write": 2,
            "llm.token_count.completion_details.reasoning": 4,
            "llm.token_count.total": 15,
        }
        assert observed(rec, **plain, **details).usage == {
            "input": 5,
            "input_cached_tokens": 3,
            "input_cache_creation": 2,
            "output": 1,
            "output_reasoning_tokens": 4,
            "total": 15,
        }

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

    def test_of_the_trace_the_last_ingested_wins(self, rec: Recorder, old: Recorder) -> None:
        """In the older storage the latest-starting; there tags add up, environments stay."""
        late = {"user.id": "v", "langfuse.trace.tags": ["b"], "langfuse.environment": "late"}
        early = {
            "user.id": "u",
            "session.id": "s",
            "langfuse.trace.tags": ["a"],
            "langfuse.environment": "early",
        }
        for recorder in (rec, old):
            send(recorder, span(3, 1, **late), span(2, 1, **early))
        (trace,), (older,) = rec.traces(), old.traces()
        assert (trace.user_id, trace.session_id) == ("u", "s")
        assert (trace.tags, trace.environment) == (("a",), "early")
        assert (older.user_id, older.session_id) == ("v", "s")
        assert (older.tags, older.environment) == (("a", "b"), "late")

    def test_only_what_has_no_parent_gives_input_and_output(
        self, rec: Recorder, old: Recorder
    ) -> None:
        given = {"langfuse.observation.input": "in", "langfuse.trace.output": "told"}
        roots = ("langfuse.internal.as_root", "langfuse.internal.is_app_root")
        for recorder in (rec, old):
            send(recorder, span(2, 1, **given, **dict.fromkeys(roots, True)))
        assert [(t.name, t.input, t.output) for t in rec.traces()] == [("span 2", None, None)]
        assert [(t.name, t.input, t.output) for t in old.traces()] == [("span 2", "in", "told")]

    def test_the_same_span_again_replaces_the_first(self, old: Recorder) -> None:
        send(old, span(1, **PROMPTED, **{VERSION: "x"}))
        send(old, span(1))
        assert (len(old.observations()), old.problems()) == (1, [])

    def test_a_refused_span_leaves_the_one_before(self, old: Recorder) -> None:
        send(old, span(1))
        send(old, span(1, **PROMPTED, **{VERSION: "x"}))
        assert (len(old.observations()), kinds(old)) == (1, ["dropped"])
