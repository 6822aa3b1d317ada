"""``count_usage_once``: what it takes, how a span says zero, and what a fault in it costs."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracesplice
from tracesplice import TracespliceError, _usage
from tracesplice._langfuse_types import is_generation
from tracesplice._langfuse_usage import Usage
from tracesplice._settle import settle
from unit.masking import (
    COST,
    LLM,
    OPENINFERENCE,
    USAGE,
    Spans,
    applied,
    chain,
    counted,
    note,
    patched,
)

pytestmark = pytest.mark.usefixtures("nothing_reported")

USAGES = st.dictionaries(
    st.sampled_from(["input", "output", "total", "input_cached_tokens", "prompt_tokens"]),
    st.integers(0, 10**6),
).map(lambda usage: {USAGE: json.dumps(usage)})
COSTS = st.dictionaries(st.sampled_from(["input", "total", "x"]), st.floats(0, 9)).map(
    lambda cost: {COST: json.dumps(cost)}
)
COUNTERS = st.dictionaries(
    st.sampled_from(
        ["llm.token_count.prompt", "gen_ai.usage.input_tokens", "gen_ai.usage.cost", "llm.cost.x"]
    ),
    st.integers(0, 10**6),
)
GARBAGE = st.sampled_from(["", "null", "[1]", "{", '{"input": "x"}', '{"input": {"a": 1}}']).map(
    lambda text: {USAGE: text}
)


def masked(attributes: dict[str, Any]) -> dict[str, Any]:
    """What is exported of a generation whose call the gateway reports."""
    note("a+")
    return applied(tracesplice.count_usage_once(), chain(attributes))["a"]


@given(
    st.lists(st.one_of(USAGES, COSTS, COUNTERS, GARBAGE)),
    st.sampled_from([LLM, OPENINFERENCE, {"gen_ai.request.model": "m"}]),
)
def test_whatever_was_there_nothing_is_counted_and_the_rest_is_kept(
    parts: list[dict[str, Any]], kind: dict[str, Any]
) -> None:
    rest = {"input.value": "hi", "langfuse.observation.prompt.name": "p"}
    given: dict[str, Any] = {**kind, **rest}
    for part in parts:
        given.update(part)
    after = masked(given)
    assert counted(after) == (0, 0)
    assert {key: after[key] for key in after if key in given} == {
        key: after[key] if key in (USAGE, COST) else value
        for key, value in given.items()
        if not key.startswith(("llm.token_count", "gen_ai.usage", "llm.cost"))
    }


def test_each_kind_of_usage_that_was_there_is_named() -> None:
    after = masked({**LLM, USAGE: '{"input": 1, "input_cached_tokens": 2, "prompt_tokens": 3}'})
    assert json.loads(after[USAGE]) == dict.fromkeys(
        ["input", "output", "total", "input_cached_tokens"], 0
    )


def test_without_it_the_server_would_count_the_tokens_itself() -> None:
    bare = {"langfuse.observation.type": "generation"}
    assert counted(bare)[1] > 0
    assert counted(masked(bare)) == (0, 0)


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
        ({"gen_ai.operation.name": "cycle", "gen_ai.request.model": "m"}, True),
        ({"openinference.span.kind": "PROMPT"}, False),
        ({"gen_ai.tool.name": "t", "gen_ai.request.model": "m"}, False),
        ({}, False),
    ],
)
def test_what_langfuse_takes_for_a_generation(attributes: dict[str, Any], expected: bool) -> None:
    assert is_generation(attributes) is expected


@pytest.mark.parametrize(
    ("attributes", "total"),
    [
        ({}, None),
        ({USAGE: "{}"}, None),
        ({USAGE: "[" * 100_000}, None),
        ({USAGE: '{"input": 3, "output": 4}'}, 7),
        ({USAGE: '{"input": 3, "output": 4, "total": 9, "cached": 2}'}, 9),
        ({USAGE: '{"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}'}, 7),
        ({"llm.token_count.prompt": 3, "llm.token_count.completion": 4}, 7),
        ({"gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 0}, 3),
        ({USAGE: '{"input": "x"}', "llm.token_count.total": 5}, 5),
        ({USAGE: '{"input": 1e400, "output": NaN, "total": 5}'}, 5),
        ({USAGE: f'{{"input": {10**4000}}}', COST: f'{{"total": {10**400}}}'}, None),
        ({"gen_ai.usage.input_tokens": math.inf, "gen_ai.usage.output_tokens": 2}, 2),
    ],
)
def test_the_tokens_that_a_span_says(attributes: dict[str, Any], total: float | None) -> None:
    assert Usage(attributes).tokens == total


def result(content: str, **more: Any) -> dict[str, Any]:
    """The output of a run of LangChain's, as OpenInference writes it."""
    generation = {"text": content, "message": {"kwargs": {"content": content, **more}}}
    return {"output.value": json.dumps({"generations": [[generation]]})}


@pytest.mark.parametrize(
    ("attributes", "failed"),
    [
        ({}, True),
        ({USAGE: '{"total": 0}'}, True),
        ({USAGE: '{"total": 0}', COST: '{"total": 0.1}'}, False),
        ({COST: '{"total": 0.1}'}, False),
        ({"gen_ai.completion.0.content": "hello"}, False),
        (result(""), True),
        (result("hi"), False),
        (result("", tool_calls=[{"name": "weather"}]), False),
        ({"output.value": '{"generations": [[{"text": "hi"}]]}'}, False),
        *(
            ({"output.value": other}, False)
            for other in ('{"generations": 1}', '{"generations": [7]}', "[]", "{", '{"generations"')
        ),
    ],
)
def test_what_failed(attributes: dict[str, Any], failed: bool) -> None:
    assert Usage(attributes).failed is failed


def test_the_client_s_figures_may_count() -> None:
    note("a+")
    assert tracesplice.count_usage_once(owner="client")(params=chain(LLM).params) is None


@pytest.mark.parametrize("owner", ["nobody", None, "", [], "Gateway"])
def test_any_other_owner_is_refused(owner: Any) -> None:
    with pytest.raises(TracespliceError, match=r"count_usage_once\(owner=\"client\"\)"):
        tracesplice.count_usage_once(owner=owner)


@pytest.mark.parametrize("then", ["mask", 1, {}])
def test_a_mask_that_is_no_function_is_refused(then: Any) -> None:
    with pytest.raises(TracespliceError, match=r"count_usage_once\(then=my_mask\)"):
        tracesplice.count_usage_once(then=then)


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("kind", [["a list"], "generation"])
def test_a_span_that_cannot_be_read_costs_no_other_its_zeros(
    kind: object, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = {**LLM, "langfuse.observation.type": kind, "bad": True}

    def some(span: Any, around: Any) -> Any:
        return settle(span, around) if "bad" not in span.attributes else 1 / 0

    monkeypatch.setattr(_usage, "settle", some)
    note("a+ b+ c+")
    assert patched(Spans({"a": LLM, "b": bad, "c": LLM}, {})) == {"a", "c"}
    assert caplog.records
    assert all("may count twice" in each.getMessage() for each in caplog.records)


class TestFaults:
    @pytest.fixture(autouse=True)
    def _broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> Any:
            raise RuntimeError("ours")

        monkeypatch.setattr(_usage, "settle", fail)

    @pytest.mark.usefixtures("lenient")
    def test_one_of_ours_leaves_the_batch_as_it_was(self, caplog: pytest.LogCaptureFixture) -> None:
        seen: list[Any] = []
        params = chain(LLM).params
        mask = tracesplice.count_usage_once(then=lambda *, params: seen.append(params))
        for _ in range(2):
            assert tracesplice.count_usage_once()(params=params) is None
            mask(params=params)
        assert seen == [params, params]  # the user's still runs
        [record] = caplog.records
        assert "may count twice" in record.getMessage()

    def test_it_is_raised_under_test(self) -> None:
        with pytest.raises(RuntimeError, match="ours"):
            tracesplice.count_usage_once()(params=chain(LLM).params)
