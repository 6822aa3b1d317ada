"""Usage and costs that agents repeat, by whatever names they and their calls say them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from unit import spans
from unit.masking import COST, USAGE
from unit.spans import Node, Program, agent, llm, tokens

pytestmark = pytest.mark.usefixtures("nothing_reported")

# Where an agent and a call say what was used, by whatever names: OpenInference's, those of the
# semantic conventions, OpenAI's and Langfuse's own; 100 tokens in, 40 of them cached, 20 out.
SAID: dict[str, dict[str, Any]] = {
    "OpenInference": {
        "llm.token_count.prompt": 100,
        "llm.token_count.prompt_details.cache_read": 40,
        "llm.token_count.completion": 20,
        "llm.token_count.completion_details.reasoning": 5,
    },
    "conventions": {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.output_tokens": 20,
    },
    "a total alone": {"gen_ai.usage.total_tokens": 120},
    "Langfuse": {USAGE: '{"input": 60, "input_cached_tokens": 40, "output": 20}'},
    "OpenAI": {USAGE: '{"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}'},
}


def saying(said: dict[str, Any], kind: str, call: str | None = None, cost: float = 0) -> Node:
    """An agent or a call of 100 and 20 tokens."""
    made = llm(None, call) if kind == "LLM" else agent(None)
    dollars = {COST: f'{{"total": {cost}}}'} if cost else {}
    return Node(made.scope, {**made.attributes, **said, **dollars}, call=call, name=made.name)


@pytest.mark.parametrize("outer", SAID.values(), ids=SAID)
@pytest.mark.parametrize("inner", SAID.values(), ids=SAID)
def test_an_agent_may_say_it_in_other_words_than_its_calls(
    program: Program, outer: dict[str, Any], inner: dict[str, Any]
) -> None:
    calls = [saying(inner, "LLM", "reported") for _ in range(2)]
    twice = saying(outer, "AGENT")
    assert tokens(program.run(twice.around(calls[0]))) == {}
    assert tokens(program.run(twice.around(twice.around(*calls)))) == {}
    kept = saying(inner, "LLM")
    assert tokens(program.run(agent((200, 40)).around(calls[0], kept))) == {"llm": 120}


@pytest.mark.parametrize("cost", ["gen_ai.usage.cost", "llm.cost.total"])
def test_a_cost_without_tokens_is_repeated_as_well(program: Program, cost: str) -> None:
    found = program.run(agent(None, **{cost: 0.5}).around(llm()))
    assert [spans.counted(span.attributes or {}) for span in found] == [(0, 0)] * 2
    found = program.run(agent(None, **{cost: 0.5}).around(llm(call=None)))
    assert spans.counted(found[-1].attributes or {})[1] == 0.5


@pytest.mark.parametrize(("inside", "left"), [(0.0, 0.75), (0.2, 0.8)])
def test_of_the_cost_the_difference_stays(program: Program, inside: float, left: float) -> None:
    known = {COST: f'{{"total": {inside}}}'} if inside else {}
    made = agent((20, 8), **{"llm.cost.total": 1.0}).around(llm((3, 4), **known))
    found = {span.name: spans.counted(span.attributes or {}) for span in program.run(made)}
    assert found == {"llm": (0, 0), "agent": (21, pytest.approx(left))}


def test_what_is_left_is_said_by_kind(program: Program) -> None:
    said = {**SAID["OpenInference"], "llm.token_count.prompt": 150}
    outer, inner = saying(said, "AGENT"), saying(SAID["OpenInference"], "LLM", "reported")
    *_, left = program.run(outer.around(inner))
    assert json.loads(str((left.attributes or {})[USAGE])) == {"input": 50, "total": 50}
    assert not [key for key in left.attributes or {} if "token_count" in key]
