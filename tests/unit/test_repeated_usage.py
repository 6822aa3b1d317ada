"""Spans around calls that repeat what the calls have used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from unit import spans
from unit.spans import Node, Program, agent, gap, llm, plain, tokens, users

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("nothing_reported")


@pytest.fixture(scope="module")
def traced() -> Iterator[Program]:
    with spans.program("pk-repeated") as found:
        yield found


@pytest.fixture(params=["one batch", "a batch each"])
def program(traced: Program, request: pytest.FixtureRequest) -> Program:
    traced.after_each = traced.langfuse.flush if request.param == "a batch each" else lambda: None
    return traced


def gen_ai(scope: str, operation: str, used: dict[str, int] | None = None, **more: Any) -> Node:
    said = {f"gen_ai.usage.{key}": value for key, value in (used or {}).items()}
    return Node(scope, {"gen_ai.operation.name": operation, **said, **more}, name=operation)


def chat(scope: str, first: int, second: int) -> Node:
    used = {"input_tokens": first, "output_tokens": second}
    made = gen_ai(scope, "chat", used, **{"gen_ai.request.model": "gpt"})
    return Node(made.scope, made.attributes, call="reported", name="chat")


def record(first: int, second: int) -> Node:
    said = {
        "gen_ai.response.model": "gpt",
        "gen_ai.usage.input_tokens": first,
        "gen_ai.usage.output_tokens": second,
    }
    return Node("opentelemetry.instrumentation.ag2", said, name="record")


STRANDS = "strands.telemetry.tracer"
AG2 = "opentelemetry.instrumentation.ag2"
MODEL: dict[str, Any] = {"gen_ai.request.model": "gpt"}
# What instrumentations make of one run, with the releases that were looked at.
SHAPES: dict[str, Node] = {
    "smolagents 1.26, OpenInference": agent((500, 2)).around(plain().around(llm((500, 2)))),
    "a managed agent of smolagents": agent((7, 5)).around(
        plain().around(llm((3, 2)), agent((4, 3)).around(plain().around(llm((4, 3)))))
    ),
    "strands-agents 1.62": gen_ai(
        STRANDS,
        "invoke_agent",
        {"prompt_tokens": 4, "input_tokens": 4, "completion_tokens": 4, "output_tokens": 4}
        | {"total_tokens": 8, "cache_read_input_tokens": 0, "cache_read.input_tokens": 0},
        **MODEL,
    ).around(
        gen_ai(STRANDS, "execute_event_loop_cycle").around(chat(STRANDS, 1, 2)),
        gen_ai(STRANDS, "execute_event_loop_cycle").around(chat(STRANDS, 3, 2)),
    ),
    "agent-framework": gen_ai(
        "agent_framework", "invoke_agent", {"input_tokens": 6, "output_tokens": 4}, **MODEL
    ).around(
        chat("agent_framework", 2, 2),
        gen_ai("agent_framework", "execute_tool"),
        chat("agent_framework", 4, 2),
    ),
    "instructor 1.17, OpenInference": plain(
        **{"llm.model_name": "gpt", "input.value": "hello", "output.value": "hi"}
    ).around(llm()),
    "ag2 1.2": gen_ai(AG2, "invoke_agent", **MODEL).around(
        chat(AG2, 2, 2), record(2, 2), gen_ai(AG2, "execute_tool"), chat(AG2, 4, 2), record(4, 2)
    ),
    "ag2, an agent of an agent": gen_ai(AG2, "invoke_agent").around(
        chat(AG2, 2, 2),
        record(2, 2),
        gen_ai(AG2, "execute_tool").around(
            gen_ai(AG2, "invoke_agent").around(chat(AG2, 4, 2), record(4, 2))
        ),
        record(4, 2),
    ),
    "pydantic-ai before 1.0": gen_ai(
        "pydantic-ai", "invoke_agent", {"input_tokens": 4, "output_tokens": 4}
    ).around(chat("pydantic-ai", 1, 2), chat("pydantic-ai", 3, 2)),
    "a chain that adds up": plain(**{"llm.token_count.total": 7}).around(
        plain(**{"llm.token_count.total": 7}).around(llm())
    ),
    "a workflow of Langfuse's own generation": agent((3, 4)).around(
        users("generation", (3, 4), call="reported")
    ),
    "an observation of the user's in between": agent().around(users("span").around(llm())),
    "a span that is not exported in between": agent().around(gap().around(llm())),
    "several of them": agent((9, 12)).around(
        gap().around(llm()), llm(), plain().around(gap().around(gap().around(llm())))
    ),
    "a call without a span of its own": Node(
        agent().scope, agent((9, 9)).attributes, call="reported"
    ),
    "a call in a span of the user's": agent((9, 9)).around(users("span", call="reported")),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_what_repeats_the_calls_of_the_gateway_says_zero(program: Program, shape: Node) -> None:
    assert tokens(program.run(users("span").around(shape))) == {}


def test_a_record_may_end_before_what_it_records(traced: Program) -> None:
    traced.after_each = lambda: None
    run = gen_ai(AG2, "invoke_agent").around(record(3, 4), plain().around(chat(AG2, 3, 4)))
    assert tokens(traced.run(run, users("span"))) == {}


KEPT = llm((1, 4), call=None)
# What is counted in the end, without the gateway's own figures.
CASES: dict[str, tuple[Node, dict[str, float]]] = {
    "no call of the gateway's": (agent((1, 4)).around(KEPT), {"agent": 5, "llm": 5}),
    "one call is not reported": (agent((4, 8)).around(llm(), KEPT), {"llm": 5}),
    "a call that the gateway does not report": (
        agent((6, 8)).around(llm(), llm((3, 4), call="kept")),
        {"llm": 7},
    ),
    "a call without a span is not reported": (agent((10, 20)).around(llm()), {"agent": 23}),
    "one with a span, one without": (agent((10, 20)).around(llm(), KEPT), {"agent": 18, "llm": 5}),
    "said once, further in": (
        agent((10, 20)).around(agent((10, 20)).around(llm())),
        {"agent": 23},
    ),
    "said once, further out": (agent((10, 20)).around(agent().around(llm())), {"agent": 23}),
    "no more than the sum": (agent((1, 1)).around(llm()), {}),
    "nothing said and no model": (agent(None).around(llm()), {}),
    "nothing said in the call itself": (agent().around(llm(None)), {}),
    "a failed call": (agent((0, 0)).around(llm(None, call="failed", **{"output.value": ""})), {}),
    "another agent beside it": (
        plain().around(agent((1, 4)).around(KEPT), agent().around(llm())),
        {"agent": 5, "llm": 5},
    ),
    "an agent with no call of the gateway's, and one around both": (
        agent((4, 8)).around(agent((1, 4)).around(KEPT), agent().around(llm())),
        {"agent": 5, "llm": 5},
    ),
    "the user's own generation further out": (
        users("generation", (3, 4)).around(plain().around(llm())),
        {"users generation": 7},
    ),
    "the user's own agent": (users("agent", (3, 4)).around(llm()), {"users agent": 7}),
    "around that, an instrumentation's": (
        agent().around(users("agent", (3, 4)).around(llm())),
        {"users agent": 7},
    ),
    "the user's own generation right around it": (users("generation", (3, 4)).around(llm()), {}),
    "a tool's call in a model's own": (
        llm((1, 4), call=None).around(plain().around(llm())),
        {"llm": 5},
    ),
    "a model's own call with a tool's in it, both reported": (
        agent((4, 8)).around(llm((1, 4)).around(plain().around(llm()))),
        {},
    ),
    "a model's span that repeats those of a chain": (
        llm(call=None).around(plain().around(llm())),
        {},
    ),
    "two calls in one span, one is not reported": (
        llm((4, 8), call=None).around(llm(), KEPT),
        {"llm": 5},
    ),
    "a record of a call that has no span": (plain().around(llm(), record(9, 9)), {"record": 18}),
    "a record beside calls that are not reported": (
        plain().around(KEPT, record(1, 4)),
        {"llm": 5, "record": 5},
    ),
    "two records, one call is not reported": (
        plain().around(llm(), record(3, 4), KEPT, record(1, 4)),
        {"llm": 5},
    ),
    "a model's span like another beside it": (plain().around(llm(), llm(call=None)), {"llm": 7}),
    "in a span that is not exported, a call is not reported": (
        agent((4, 8)).around(llm(), gap().around(KEPT)),
        {"llm": 5},
    ),
    "all in spans that are not exported": (
        agent((4, 8)).around(gap().around(llm()), gap().around(KEPT)),
        {"llm": 5},
    ),
    "an agent with a call of its own, beside a span that is not exported": (
        plain().around(gap().around(llm()), agent((10, 20))),
        {"agent": 30},
    ),
}


@pytest.mark.parametrize(("tree", "left"), CASES.values(), ids=CASES)
def test_what_is_nobody_else_s_stays(program: Program, tree: Node, left: dict[str, float]) -> None:
    assert tokens(program.run(users("span").around(tree))) == left
