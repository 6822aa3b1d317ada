"""Which of the user's generations say zero: those all of whose usage is known to be the gateway's.

In ``test_repeated_usage*.py`` are spans of instrumentations.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracesplice
from tracesplice import _ignored_spans
from tracesplice._calls import calls
from tracesplice._inside import Told, insides
from tracesplice._used import Used
from tracesplice.adapter import ignored_spans
from unit.masking import (
    COST,
    LLM,
    NAMES,
    OPENINFERENCE,
    PLAIN,
    SCOPE,
    TRACE,
    USAGE,
    Spans,
    chain,
    note,
    part,
    patched,
)

pytestmark = pytest.mark.usefixtures("nothing_reported")

CHAIN: dict[str, Any] = {"openinference.span.kind": "CHAIN"}
ANSWERED: dict[str, Any] = {
    "langfuse.observation.type": "generation",
    "langfuse.observation.output": "hello",
}
FREE: dict[str, Any] = {**LLM, USAGE: '{"input": 0, "output": 0}', COST: '{"total": 0}'}
COSTS: dict[str, Any] = {**LLM, USAGE: '{"total": 0}', COST: '{"total": 5}'}
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
        COST: '{"input": 0, "output": 0, "total": 0}',
    },
    {
        "langfuse.observation.type": "generation",
        "langfuse.observation.level": "ERROR",
        "langfuse.observation.output": "what came before",
        COST: '{"total": 0}',
    },
    {"openinference.span.kind": "LLM", "llm.model_name": "gpt", "input.value": "hi"},
    *(
        {"openinference.span.kind": "LLM", "output.value": json.dumps(result)}
        for result in FAILED_RUNS
    ),
]


def llm(total: float) -> dict[str, Any]:
    return {**LLM, USAGE: json.dumps({"input": total - 1, "output": 1, "total": total})}


def forget() -> None:
    calls.clear()
    insides.clear()


def two(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> Spans:
    """Generations `a` and `b` in `c`."""
    return Spans({"a": a, "b": b, "c": c}, {"a": "c", "b": "c"})


FIRST = FAILED[0]
CASES: dict[str, tuple[Spans, str, str]] = {
    # What is exported, inner ones first; what was noted of calls; what says zero.
    "nothing is known": (chain(LLM, LLM), "", ""),
    "the one that is reported": (Spans({"a": LLM, "b": LLM}, {}), "b+", "b"),
    "what is not reported": (chain(LLM, LLM), "a-", ""),
    "what is right around it": (chain(LLM, LLM, OPENINFERENCE), "a+", "abc"),
    "nothing beyond a span": (chain(LLM, PLAIN, LLM), "a+", "a"),
    "nothing beyond a chain": (chain(LLM, CHAIN, LLM), "a+", "a"),
    "nothing around a call without a generation": (chain(PLAIN, LLM), "a+", ""),
    "two calls in it, one is not reported": (chain(LLM, LLM), "a+ a-", ""),
    "a retry that is answered": (chain(LLM), "a? a+", "a"),
    "an answer from a cache": (chain(LLM, LLM), "a!", "ab"),
    # Failed calls.
    "a failed call with what is around it": (chain(FIRST, FIRST, PLAIN, FIRST), "a?", "ab"),
    "a failed call to a provider": (chain(FIRST, FIRST), "", ""),
    "a provider's call in one that failed": (chain(LLM, FIRST), "", ""),
    "a failed call that is not reported": (chain(FIRST), "a-", ""),
    "a provider's failed call beside it": (two(LLM, FIRST, ANSWERED), "a+", "ac"),
    "one that was not answered and says usage": (chain(LLM), "a?", ""),
    "one that was not answered and has output": (chain(ANSWERED), "a?", ""),
    "one that failed and says usage": (chain({**FIRST, **LLM}), "a?", ""),
    # Generations around a call of the gateway's and another one.
    "two calls, one is not reported": (two(LLM, LLM, LLM), "a+ b-", "a"),
    "two calls, one unknown, as the sum": (two(llm(7), llm(7), llm(14)), "a+", "a"),
    "two calls, one unknown, more than one": (two(llm(7), llm(7), llm(8)), "a+", "a"),
    "the same call twice": (two(llm(7), llm(7), llm(7)), "a+", "ac"),
    "two calls, one unknown and unsaid": (two(llm(7), ANSWERED, llm(14)), "a+", "a"),
    "two calls, the sum unsaid": (two(llm(7), llm(7), ANSWERED), "a+", "a"),
    "two calls, both unknown, a cost instead": (two(ANSWERED, ANSWERED, COSTS), "a+", "a"),
    "a call without a generation of its own": (chain(llm(7), llm(14)), "b+", ""),
    "such a call, described once more": (chain(llm(7), llm(7)), "b+", "b"),
    "more than all inside": (two(llm(7), llm(7), llm(15)), "a+ b+", "ab"),
    "as much as all inside": (two(llm(7), llm(7), llm(14)), "a+ b+", "abc"),
    "nothing to compare with": (chain(ANSWERED, llm(9)), "a+", "ab"),
    "one that was free": (two(llm(7), {**FREE, **ANSWERED}, ANSWERED), "a+", "ac"),
    "one further out than the other": (
        Spans(dict.fromkeys("bacd", LLM), {"a": "c", "b": "d", "c": "d"}),
        "b+ a-",
        "b",
    ),
    "one further in": (
        Spans(
            {"a": llm(7), "b": llm(7), "c": llm(14), "d": llm(14)},
            {"a": "c", "b": "c", "c": "d"},
        ),
        "a+",
        "a",
    ),
    "calls of an outer one of its own": (chain(llm(7), llm(14)), "a+ b+", "ab"),
}


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "a batch each"])
@pytest.mark.parametrize(("batch", "noted", "zero"), CASES.values(), ids=CASES)
def test_which_say_zero(batch: Spans, noted: str, zero: str, together: bool) -> None:
    note(noted)
    batches = [batch] if together else [part(batch, name) for name in batch.attributes]
    assert set().union(*map(patched, batches)) == set(zero)


@pytest.mark.parametrize("kind", FAILED)
def test_whatever_a_failed_call_looks_like(kind: dict[str, Any]) -> None:
    # The server counts the tokens of a failed call itself, and prices them.
    note("a?")
    assert patched(chain(kind)) == {"a"}


def test_a_second_client_that_stores_the_same_comes_to_the_same() -> None:
    note("a+ b+")
    batch = two(llm(7), llm(7), llm(15))
    assert patched(batch) == patched(batch) == {"a", "b"}


def test_what_is_around_may_be_exported_first() -> None:
    note("ac+")
    batch = chain(llm(7), PLAIN, llm(7))
    batch = Spans(batch.attributes, {"a": "c"})
    assert patched(part(batch, "c")) | patched(part(batch, "a")) == {"a", "c"}


def test_a_long_stream_too_while_many_other_calls_come_and_go() -> None:
    note("a+")
    mask = tracesplice.count_usage_once()
    for first in range(0, 40_000, 1_000):
        names = [str(number) for number in range(first, first + 1_000)]
        for name in names:
            calls.answered([(TRACE, name)], True)
        mask(params=Spans(dict.fromkeys(names, PLAIN), {}).params)
    assert patched(chain(LLM)) == {"a"}


@given(st.permutations(NAMES), st.lists(st.integers(1, 5), min_size=1))
def test_in_whatever_order_and_batches_they_come_inside_out(
    order: list[str], sizes: list[int]
) -> None:
    # Any order within a batch; between batches the inner ones come first.
    forget()
    note("a+")
    whole = chain(*[LLM] * len(NAMES))
    left = list(NAMES)
    zero: set[str] = set()
    for size in [*sizes, len(NAMES)]:
        names, left = left[:size], left[size:]
        zero |= patched(part(whole, *(name for name in order if name in names)))
    assert zero == set(NAMES)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 9)), min_size=1, max_size=4),
    st.integers(0, 9),
    st.permutations(NAMES),
)
def test_nothing_that_nobody_else_counts_is_lost(
    made: list[tuple[bool, int]], more: int, order: list[str]
) -> None:
    # `e` says the usage of all calls inside it, and of `more` that is nobody's.
    forget()
    spans = {"e": llm(sum(used for _, used in made) + more)}
    for name, (reports, used) in zip(NAMES, made, strict=False):
        spans[name] = llm(used)
        note(f"{name}+" if reports else "")
    batch = {name: spans[name] for name in order if name in spans}
    zero = patched(Spans(batch, dict.fromkeys(NAMES[:-1], "e")))
    assert ("e" in zero) is (more == 0 and all(reports for reports, _ in made))


class TestIgnoredSpans:
    """Spans that look like a model's and stand for no call."""

    @pytest.fixture(autouse=True)
    def _declared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_ignored_spans, "_known", set())
        ignored_spans(SCOPE, ["a"])
        ignored_spans("another", ["b"])

    def test_what_is_declared_says_zero(self) -> None:
        bare = {key: value for key, value in OPENINFERENCE.items() if "token" not in key}
        assert patched(Spans({"a": bare, "b": bare, "c": bare}, {}, SCOPE)) == {"a"}
        assert patched(replace(chain(bare, OPENINFERENCE), scope=SCOPE)) == {
            "a"
        }  # and not the call around it

    def test_what_says_that_something_was_used_is_believed(self) -> None:
        assert patched(replace(chain(OPENINFERENCE), scope=SCOPE)) == set()


def test_threads_may_note_what_repeats_a_call_at_once() -> None:
    """As several Langfuse clients do that export at once."""
    insides.tell((TRACE, "agent"), "call", Told(True, Used(1e6), None))
    said = {"gen_ai.response.model": "gpt", "gen_ai.usage.input_tokens": 1}

    def work(thread: str) -> set[str]:
        names = [f"{thread}{number}" for number in range(200)]
        return patched(Spans(dict.fromkeys(names, said), dict.fromkeys(names, "agent"), SCOPE))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert {len(each) for each in pool.map(work, "abcdefgh")} == {200}
    finally:
        sys.setswitchinterval(before)
