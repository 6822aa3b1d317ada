"""What agents, chains and records say of calls that the gateway does not report is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from langfuse import Langfuse
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice
from tracesplice.adapter import note_foreign_call
from unit.repeating import STRANDS, gen_ai, record
from unit.spans import Node, Program, agent, gap, llm, plain, tokens, users

pytestmark = pytest.mark.usefixtures("nothing_reported")

KEPT = llm((1, 4), call=None)
CHAIN = plain(**{"llm.model_name": "gpt", "output.value": "hi"})
# What is counted in the end, without the gateway's own figures.
CASES: dict[str, tuple[Node, dict[str, float]]] = {
    "no call of the gateway's": (agent((1, 4)).around(KEPT), {"agent": 5, "llm": 5}),
    "one call is not reported": (agent((4, 8)).around(llm(), KEPT), {"llm": 5}),
    "a call that the gateway does not report": (
        agent((6, 8)).around(llm(), llm((3, 4), call="kept")),
        {"llm": 7},
    ),
    "a call that the gateway does not report, without usage": (llm(None, "kept"), {"llm": 4}),
    "one whose model a chain names": (replace(CHAIN, call="kept"), {"chain": 4}),
    "around that, a chain that names the model, too": (
        CHAIN.around(llm((3, 4), call="kept")),
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
    "two records of one call": (plain().around(llm(), record(3, 4), record(3, 4)), {"record": 7}),
    "agents of another call that used as much": (
        agent((6, 8)).around(llm(), agent().around(agent().around(llm(call=None)))),
        {"agent": 14, "llm": 7},
    ),
    "a failed call that no span describes": (
        plain(**{"llm.model_name": "gpt"}).around(users("span", call="failed")),
        {},
    ),
    "an agent of which Langfuse counts nothing": (
        agent((10, 20)).around(
            gen_ai(STRANDS, "invoke_agent", {"input_tokens": 10, "output_tokens": 20}).around(llm())
        ),
        {"agent": 23, "invoke_agent": 23},
    ),
    "as many tokens as in a span that is not exported, of another kind": (
        plain().around(gap().around(llm()), agent((7, 0))),
        {"agent": 7},
    ),
    "an agent with a call of its own, beside a span that is not exported": (
        plain().around(gap().around(llm()), agent((10, 20))),
        {"agent": 30},
    ),
}


@pytest.mark.parametrize(("tree", "left"), CASES.values(), ids=CASES)
def test_what_is_nobody_else_s_stays(program: Program, tree: Node, left: dict[str, float]) -> None:
    assert tokens(program.run(users("span").around(tree))) == left


@pytest.mark.parametrize(
    "inside", [(), (users("span", call="reported"),)], ids=["the agent", "a span of the user's"]
)
def test_with_a_call_to_elsewhere_an_agent_keeps_what_it_says(
    program: Program, inside: tuple[Node, ...]
) -> None:
    made = agent((10, 20)).around(*inside)
    program.exporter.clear()
    with program.span(made if inside else replace(made, call="reported")):
        for each in inside:
            with program.span(each):
                note_foreign_call()
        if not inside:
            note_foreign_call()
    assert tokens(program.exported()) == {"agent": 30}


def test_two_clients_come_to_the_same(traced: Program) -> None:
    traced.after_each = lambda: None
    exporter = InMemorySpanExporter()
    second = Langfuse(
        public_key="pk-repeated-second",
        secret_key="sk",
        base_url="http://127.0.0.1:9",
        tracer_provider=traced.provider,
        span_exporter=exporter,
        mask_otel_spans=tracesplice.count_usage_once(),
    )
    tree = agent((10, 20)).around(agent((4, 8)).around(llm(), KEPT))
    assert tokens(traced.run(tree)) == {"agent": 18, "llm": 5}
    second.flush()
    assert tokens(list(exporter.get_finished_spans())) == {"agent": 18, "llm": 5}
    second.shutdown()
