"""Which observations of a batch the mask of ``count_usage_once`` changes, and how."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracesplice
from tracesplice import _ignored_spans
from tracesplice._calls import calls
from tracesplice._langfuse_usage import is_generation
from tracesplice.adapter import ignored_spans
from unit.masking import (
    LLM,
    NAMES,
    OPENINFERENCE,
    PLAIN,
    SCOPE,
    TRACE,
    Spans,
    applied,
    chain,
    counted,
    says_zero,
    zeroed,
)

pytestmark = pytest.mark.usefixtures("nothing_reported")

USAGES = st.dictionaries(
    st.sampled_from(["input", "output", "total", "input_cached_tokens", "prompt_tokens"]),
    st.integers(0, 10**6),
).map(lambda usage: {"langfuse.observation.usage_details": json.dumps(usage)})
COSTS = st.dictionaries(st.sampled_from(["input", "total", "x"]), st.floats(0, 9)).map(
    lambda cost: {"langfuse.observation.cost_details": json.dumps(cost)}
)
COUNTERS = st.dictionaries(
    st.sampled_from(
        ["llm.token_count.prompt", "gen_ai.usage.input_tokens", "gen_ai.usage.cost", "llm.cost.x"]
    ),
    st.integers(0, 10**6),
)
GARBAGE = st.sampled_from(["", "null", "[1]", "{", '{"input": "x"}', '{"input": {"a": 1}}']).map(
    lambda text: {"langfuse.observation.usage_details": text}
)


class TestZero:
    @given(
        st.lists(st.one_of(USAGES, COSTS, COUNTERS, GARBAGE)),
        st.sampled_from([LLM, OPENINFERENCE, {"gen_ai.request.model": "m"}]),
    )
    def test_whatever_was_there_nothing_is_counted(
        self, parts: list[dict[str, Any]], kind: dict[str, Any]
    ) -> None:
        given: dict[str, Any] = {**kind}
        for part in parts:
            given.update(part)
        calls.answered([(TRACE, "a")], True)
        after = applied(tracesplice.count_usage_once(), chain(given))["a"]
        assert says_zero(after)

    def test_the_rest_is_kept(self) -> None:
        calls.answered([(TRACE, "a")], True)
        given = {**OPENINFERENCE, "input.value": "hi", "langfuse.observation.prompt.name": "p"}
        after = applied(tracesplice.count_usage_once(), chain(given))["a"]
        counters = {key for key in given if "token_count" in key}
        assert {key: after[key] for key in given if key not in counters} == {
            key: value for key, value in given.items() if key not in counters
        }
        assert not counters & set(after)

    def test_each_kind_of_usage_that_was_there_is_named(self) -> None:
        calls.answered([(TRACE, "a")], True)
        usage = '{"input": 1, "input_cached_tokens": 2, "prompt_tokens": 3}'
        batch = chain({**LLM, "langfuse.observation.usage_details": usage})
        after = applied(tracesplice.count_usage_once(), batch)["a"]
        assert json.loads(after["langfuse.observation.usage_details"]) == {
            "input": 0,
            "output": 0,
            "total": 0,
            "input_cached_tokens": 0,
        }

    def test_without_it_the_server_would_count_the_tokens_itself(self) -> None:
        bare = {"langfuse.observation.type": "generation"}
        assert counted(bare)[1] > 0
        calls.answered([(TRACE, "a")], True)
        assert zeroed(chain(bare)) == {"a"}


class TestWhich:
    def test_only_what_is_reported(self) -> None:
        assert zeroed(chain(LLM)) == set()
        calls.answered([(TRACE, "b")], True)
        assert zeroed(Spans({"a": LLM, "b": LLM}, {})) == {"b"}

    def test_a_long_stream_too_while_many_other_calls_come_and_go(self) -> None:
        calls.answered([(TRACE, "a")], True)
        mask = tracesplice.count_usage_once()
        for first in range(0, 40_000, 1_000):
            names = [str(number) for number in range(first, first + 1_000)]
            for name in names:
                calls.answered([(TRACE, name)], True)
            mask(params=Spans(dict.fromkeys(names, PLAIN), {}).params)
        assert zeroed(chain(LLM)) == {"a"}

    def test_not_what_the_gateway_does_not_report(self) -> None:
        calls.answered([(TRACE, "a")], False)
        assert zeroed(chain(LLM, LLM)) == set()

    def test_not_an_observation_that_stands_for_an_unreported_call_as_well(self) -> None:
        calls.answered([(TRACE, "a")], True)
        calls.answered([(TRACE, "b")], False)
        batch = Spans({"a": LLM, "b": LLM, "c": LLM}, {"a": "c", "b": "c"})
        assert zeroed(batch) == {"a"}

    @pytest.mark.parametrize("outer", [LLM, OPENINFERENCE])
    def test_the_generations_right_around_it(self, outer: dict[str, Any]) -> None:
        calls.answered([(TRACE, "a")], True)
        assert zeroed(chain(LLM, outer, outer)) == {"a", "b", "c"}

    @pytest.mark.parametrize("between", [PLAIN, {"openinference.span.kind": "CHAIN"}])
    def test_none_beyond_something_else(self, between: dict[str, Any]) -> None:
        calls.answered([(TRACE, "a")], True)
        assert zeroed(chain(LLM, between, LLM)) == {"a"}

    def test_no_generation_around_a_call_that_has_none(self) -> None:
        calls.answered([(TRACE, "a")], True)
        assert zeroed(chain(PLAIN, LLM)) == set()

    def test_not_another_call_next_to_it(self) -> None:
        calls.answered([(TRACE, "a")], True)
        batch = Spans({"a": LLM, "b": LLM, "c": LLM}, {"a": "c", "b": "c"})
        assert zeroed(batch) == {"a", "c"}

    @given(st.permutations(NAMES), st.lists(st.integers(1, 5), min_size=1))
    def test_in_whatever_order_and_batches_they_come_inside_out(
        self, order: list[str], sizes: list[int]
    ) -> None:
        # Any order within a batch; between batches the inner ones come first.
        calls.clear()
        calls.answered([(TRACE, "a")], True)
        whole = chain(*[LLM] * len(NAMES))
        left = list(NAMES)
        found: set[str] = set()
        for size in [*sizes, len(NAMES)]:
            names, left = left[:size], left[size:]
            batch = {name: whole.attributes[name] for name in order if name in names}
            if batch:
                found |= zeroed(Spans(batch, whole.parents))
        assert found == set(NAMES)


class TestHelpers:
    """Spans that look like a model's and stand for no call."""

    BARE: ClassVar[dict[str, Any]] = {"openinference.span.kind": "LLM", "llm.model_name": "gpt"}

    @pytest.fixture(autouse=True)
    def _declared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_ignored_spans, "_known", set())
        ignored_spans(SCOPE, ["a"])
        ignored_spans("another", ["b"])

    def test_what_is_declared_says_zero(self) -> None:
        assert zeroed(Spans({"a": self.BARE, "b": self.BARE, "c": self.BARE}, {})) == {"a"}

    def test_what_says_that_something_was_used_is_believed(self) -> None:
        assert zeroed(chain(OPENINFERENCE)) == set()

    def test_the_call_around_it_is_not_taken_along(self) -> None:
        assert zeroed(chain(self.BARE, OPENINFERENCE)) == {"a"}

    def test_it_stays_where_the_client_s_figures_count(self) -> None:
        mask = tracesplice.count_usage_once(owner="client")
        assert mask(params=chain(self.BARE).params) is None


class TestIsGeneration:
    @pytest.mark.parametrize(
        ("attributes", "expected"),
        [
            ({"langfuse.observation.type": "generation"}, True),
            ({"langfuse.observation.type": "embedding"}, True),
            ({"langfuse.observation.type": "span", "model": "m"}, False),
            ({"openinference.span.kind": "LLM"}, True),
            ({"openinference.span.kind": "EMBEDDING"}, True),
            ({"openinference.span.kind": "AGENT", "llm.model_name": "m"}, False),
            ({"gen_ai.operation.name": "chat"}, True),
            ({"gen_ai.operation.name": "execute_tool"}, False),
            ({"gen_ai.request.model": "m"}, True),
            ({}, False),
        ],
    )
    def test_as_langfuse_says(self, attributes: dict[str, Any], expected: bool) -> None:
        assert is_generation(attributes) is expected
