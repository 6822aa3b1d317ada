"""Spans around calls that repeat what the calls have used."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from langfuse import Langfuse
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice
from tracesplice.adapter import note_foreign_call
from unit import spans
from unit.masking import COST, USAGE
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


def test_threads_belong_to_the_agent_that_they_were_started_in(program: Program) -> None:
    program.exporter.clear()
    with (
        program.span(agent((12, 16))),
        ThreadPoolExecutor(4) as pool,
    ):
        context = otel_context.get_current()

        def work(_: int) -> None:
            token = otel_context.attach(context)
            program.make(plain().around(llm()))
            otel_context.detach(token)

        list(pool.map(work, range(4)))
    assert tokens(program.exported()) == {}


@pytest.mark.parametrize("is_remote", [False, True])
def test_what_is_around_may_be_of_another_process_or_not_recording(
    program: Program, is_remote: bool
) -> None:
    with program.span(plain()) as outer:
        own = outer.get_span_context()
        context = trace.SpanContext(own.trace_id, own.span_id, is_remote, own.trace_flags)
        inside = agent().around(llm())
        assert tokens(program.run(inside, parent=trace.NonRecordingSpan(context))) == {}


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


def test_without_us_each_of_these_counts_more_than_once() -> None:
    for shape in SHAPES.values():
        each = [shape]
        for node in each:
            each += node.inside
        assert sum(spans.counted(node.attributes)[0] for node in each) > 0
