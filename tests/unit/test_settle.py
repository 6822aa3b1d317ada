"""Of which generations not all usage is known to be the gateway's, and which calls failed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracesplice
from tracesplice._calls import calls
from tracesplice._langfuse_usage import Usage
from unit.masking import LLM, NAMES, PLAIN, TRACE, Spans, chain, zeroed

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.usefixtures("nothing_reported")

_USAGE = "langfuse.observation.usage_details"
_COST = "langfuse.observation.cost_details"
OPENINFERENCE = {"openinference.span.kind": "LLM"}
FAILED_RUNS: list[dict[str, Any]] = [
    {"generations": [[]]},
    {"generations": [[{"text": "", "message": {"kwargs": {"content": "", "tool_calls": []}}}]]},
]
# What frameworks write of a call that failed: langfuse.openai, LangChain, OpenInference.
FAILED: list[dict[str, Any]] = [
    {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "gpt",
        "langfuse.observation.level": "ERROR",
        _COST: '{"input": 0, "output": 0, "total": 0}',
    },
    {
        "langfuse.observation.type": "generation",
        "langfuse.observation.level": "ERROR",
        "langfuse.observation.output": "what came before",
        _COST: '{"total": 0}',
    },
    {"openinference.span.kind": "LLM", "llm.model_name": "gpt", "input.value": "hi"},
    *({**OPENINFERENCE, "output.value": json.dumps(result)} for result in FAILED_RUNS),
]
ANSWERED = {"langfuse.observation.type": "generation", "langfuse.observation.output": "hello"}


def llm(total: float) -> dict[str, Any]:
    return {**LLM, _USAGE: json.dumps({"input": total - 1, "output": 1, "total": total})}


def linked(span_id: str, *, own: bool = True) -> None:
    """As noted before a call is sent, in this observation or directly inside."""
    places = [(TRACE, span_id)]
    calls.sent(places if own else [(TRACE, f"in {span_id}"), *places])


def answered(span_id: str, reports: bool = True) -> None:
    linked(span_id)
    calls.answered([(TRACE, span_id)], reports)


class TestFailedCalls:
    """The server counts the tokens of a failed call itself, and prices them."""

    @pytest.mark.parametrize("kind", FAILED)
    def test_one_of_a_linked_call_says_zero(self, kind: dict[str, Any]) -> None:
        linked("a")
        assert zeroed(chain(kind)) == {"a"}

    @pytest.mark.parametrize("kind", FAILED)
    def test_and_so_does_the_one_right_around_it(self, kind: dict[str, Any]) -> None:
        linked("a")
        assert zeroed_by_us(chain(kind, kind, PLAIN, kind)) == {"a", "b"}

    @pytest.mark.parametrize("kind", FAILED)
    def test_one_of_a_call_to_a_provider_is_left_alone(self, kind: dict[str, Any]) -> None:
        assert not zeroed_by_us(chain(kind, kind))

    @pytest.mark.parametrize("kind", [LLM, ANSWERED, {**FAILED[0], **LLM}])
    def test_nor_is_one_that_says_what_it_used_or_answers(self, kind: dict[str, Any]) -> None:
        # Of a call that was linked and not answered: what answered was somebody else.
        linked("a")
        assert not zeroed_by_us(chain(kind))

    def test_nor_is_one_of_an_unreported_call(self) -> None:
        answered("a", reports=False)
        assert not zeroed_by_us(chain(FAILED[0]))

    def test_a_retry_that_is_answered_counts_at_the_gateway(self) -> None:
        linked("a")
        answered("a")
        assert zeroed(chain(LLM)) == {"a"}

    def test_a_provider_s_failed_call_beside_it_does_not_matter(self) -> None:
        answered("a")
        batch = Spans({"a": LLM, "b": FAILED[0], "c": LLM}, {"a": "c", "b": "c"})
        assert zeroed_by_us(batch) == {"a", "c"}


class TestCallsOfOthers:
    """A generation around a gateway's call and another one keeps its figures."""

    # Calls a, reported, and b, which is not; in c.
    INSIDE: Mapping[str, str] = {"a": "c", "b": "c"}

    @pytest.mark.parametrize("together", [True, False])
    @pytest.mark.parametrize(("around", "zero"), [(14, {"a"}), (8, {"a"}), (7, {"a", "c"})])
    def test_a_generation_inside_that_is_not_reported(
        self, around: float, zero: set[str], together: bool
    ) -> None:
        answered("a")
        spans = {"a": llm(7), "b": llm(7), "c": llm(around)}
        assert in_batches(Spans(spans, dict(self.INSIDE)), together) == zero

    @pytest.mark.parametrize("together", [True, False])
    def test_one_that_does_not_say_what_it_used(self, together: bool) -> None:
        answered("a")
        for unsaid in ("b", "c"):
            spans = {"a": llm(7), "b": llm(7), "c": llm(14), unsaid: ANSWERED}
            assert in_batches(Spans(spans, dict(self.INSIDE)), together) == {"a"}

    @pytest.mark.parametrize(("around", "zero"), [(14, set[str]()), (7, {"c"})])
    def test_around_a_call_that_has_no_generation_of_its_own(
        self, around: float, zero: set[str]
    ) -> None:
        # Another instrumentation may describe the same call once more, as much as the whole.
        answered("c")
        assert zeroed(Spans({"b": llm(7), "c": llm(around)}, {"b": "c"})) == zero

    @pytest.mark.parametrize("together", [True, False])
    @pytest.mark.parametrize(("around", "zero"), [(15, {"a", "b"}), (14, {"a", "b", "c"})])
    def test_more_than_all_inside_is_somebody_else_s(
        self, around: float, zero: set[str], together: bool
    ) -> None:
        answered("a")
        answered("b")
        spans = {"a": llm(7), "b": llm(7), "c": llm(around)}
        assert in_batches(Spans(spans, dict(self.INSIDE)), together) == zero

    def test_a_stream_without_usage_inside_leaves_nothing_to_compare(self) -> None:
        answered("a")
        assert zeroed(chain(ANSWERED, llm(9))) == {"a", "b"}

    def test_what_says_that_nothing_was_used_is_no_other_call(self) -> None:
        answered("a")
        free = {**LLM, _USAGE: '{"input": 0, "output": 0}', _COST: '{"total": 0}'}
        batch = Spans({"a": llm(7), "b": free, "c": llm(7)}, dict(self.INSIDE))
        assert zeroed_by_us(batch) == {"a", "c"}

    def test_one_further_in_counts_for_all_around_it(self) -> None:
        answered("a")
        batch = Spans(
            {"a": llm(7), "b": llm(7), "c": llm(14), "d": llm(14)},
            {"a": "c", "b": "c", "c": "d"},
        )
        assert zeroed(batch) == {"a"}

    def test_a_second_client_that_stores_the_same_comes_to_the_same(self) -> None:
        answered("a")
        answered("b")
        batch = Spans({"a": llm(7), "b": llm(7), "c": llm(15)}, dict(self.INSIDE))
        assert zeroed(batch) == zeroed(batch) == {"a", "b"}

    def test_what_is_around_may_be_exported_first(self) -> None:
        answered("a")
        linked("c", own=False)
        calls.answered([(TRACE, "c")], True)
        batch = Spans({"a": llm(7), "c": llm(7)}, {"a": "c"})
        assert zeroed(part(batch, "c")) | zeroed(part(batch, "a")) == {"a", "c"}

    @given(
        st.lists(st.tuples(st.booleans(), st.integers(1, 9)), min_size=1, max_size=4),
        st.integers(0, 9),
        st.permutations(NAMES),
    )
    def test_nothing_that_nobody_else_counts_is_lost(
        self, made: list[tuple[bool, int]], more: int, order: list[str]
    ) -> None:
        # `e` says the usage of all calls inside it, and of `more` that is nobody's.
        calls.clear()
        spans = {"e": llm(sum(used for _, used in made) + more)}
        for name, (reports, used) in zip(NAMES, made, strict=False):
            spans[name] = llm(used)
            if reports:
                answered(name)
        batch = {name: spans[name] for name in order if name in spans}
        zero = zeroed(Spans(batch, dict.fromkeys(NAMES[:-1], "e")))
        assert ("e" in zero) is (more == 0 and all(reports for reports, _ in made))


@pytest.mark.parametrize(
    ("attributes", "total"),
    [
        ({}, None),
        ({_USAGE: "{}"}, None),
        ({_USAGE: "[" * 100_000}, None),
        ({_USAGE: '{"input": 3, "output": 4}'}, 7),
        ({_USAGE: '{"input": 3, "output": 4, "total": 9, "cached": 2}'}, 9),
        ({_USAGE: '{"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}'}, 7),
        ({"llm.token_count.prompt": 3, "llm.token_count.completion": 4}, 7),
        ({"gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 0}, 3),
        ({_USAGE: '{"input": "x"}', "llm.token_count.total": 5}, 5),
    ],
)
def test_the_tokens_that_a_span_says(attributes: dict[str, Any], total: float | None) -> None:
    assert Usage(attributes).tokens == total


def test_what_is_free_and_what_failed() -> None:
    nothing = {_USAGE: '{"total": 0}'}
    assert Usage(nothing).is_free
    assert not Usage({**nothing, _COST: '{"total": 0.1}'}).is_free
    assert not Usage({}).is_free
    assert Usage({}).failed
    assert not Usage({_COST: '{"total": 0.1}'}).failed
    assert not Usage({"gen_ai.completion.0.content": "hello"}).failed
    for message in ({"content": "hi"}, {"content": "", "tool_calls": [{"name": "weather"}]}):
        generations = [[{"text": message["content"], "message": {"kwargs": message}}]]
        assert not Usage({"output.value": json.dumps({"generations": generations})}).failed
    for other in ('{"generations": 1}', '{"generations": [7]}', "[]", "{", '{"generations"'):
        assert not Usage({"output.value": other}).failed


def zeroed_by_us(batch: Spans) -> set[str]:
    """What the mask changes, whatever was said before."""
    result: Any = tracesplice.count_usage_once()(params=batch.params)
    return set() if result is None else {key.span_id for key in result.span_patches}


def part(batch: Spans, *names: str) -> Spans:
    return Spans({name: batch.attributes[name] for name in names}, batch.parents)


def in_batches(batch: Spans, together: bool) -> set[str]:
    if together:
        return zeroed(batch)
    found = [zeroed(part(batch, name)) for name in batch.attributes]
    return set().union(*found)
