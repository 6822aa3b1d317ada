"""Spans around calls that repeat what the calls have used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace

from unit import spans
from unit.repeating import AG2, STRANDS, chat, gen_ai, record
from unit.spans import Node, Program, agent, gap, llm, plain, tokens, users

pytestmark = pytest.mark.usefixtures("nothing_reported")


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


def test_without_us_each_of_these_counts_more_than_once() -> None:
    for shape in SHAPES.values():
        each = [shape]
        for node in each:
            each += node.inside
        assert sum(spans.counted(node.attributes)[0] for node in each) > 0
