"""What `tracesplice check` says of calls through real gateways, as they are and as they should be.

Each fault is made for real, by the link that the call takes along.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from langfuse import propagate_attributes

import tracesplice
from conformance.checks import ATTRIBUTES
from rig.demo import _langchain_program as demo
from shapes.shape import OWN
from tracesplice.adapter import capture_link, link_request
from tracesplice_cli import command
from tracesplice_view import TITLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.harness import Stage
    from tracesplice.adapter import Link
    from tracesplice_testing.gateway import GatewayMode

WAIT = ["--wait", "30"]
ALL = ["one trace", "right parent", "prompt on both sides", "counted once"]
MESSAGES = [{"role": "user", "content": "Who is there?"}]
USED = {"input": 3, "output": 4}


def run(stage: Stage, *args: str, code: int) -> str:
    result = CliRunner().invoke(command, ["check", *args], env=stage.recorder.env())
    assert result.exit_code == code, result.output
    return str(result.stdout)


def wrong(stage: Stage, trace_id: str) -> dict[str, str]:
    """What does not hold of the one call in a trace, by titles."""
    found = json.loads(run(stage, trace_id, *WAIT, "--json", code=1))
    [call] = found["calls"]
    return dict(call["wrong"])


@pytest.fixture
def prompt(stage: Stage) -> Any:
    stage.recorder.add_prompt(
        "of-demo", [{"role": "user", "content": "{{question}}"}], labels=["production"]
    )
    return stage.langfuse.get_prompt("of-demo", type="chat")


def of_demo(stage: Stage, mode: GatewayMode, prompt: Any, splice: Callable[[Any], Any]) -> str:
    """The id of the trace that the demo's LangChain program makes."""
    gateway = stage.gateways[mode]
    stage.clear()
    llm = splice(demo.connect(f"{gateway.url}/v1", gateway.key, "chat"))
    demo.answer(llm, prompt, model="chat", question="What is a splice?")
    stage.langfuse.flush()
    [trace_id] = {
        each.trace_id for each in stage.observations() if each.id in stage.client_spans.of_cell
    }
    return trace_id


def test_the_demos_call_before_splicing(stage: Stage, mode: GatewayMode, prompt: Any) -> None:
    trace_id = of_demo(stage, mode, prompt, lambda llm: llm)
    found = wrong(stage, trace_id)
    assert found.keys() >= {*ALL}
    # Of the two generations the inner one, if another test has imported langfuse.openai.
    assert re.match(
        f"split: '(ChatOpenAI|OpenAI-generation)' is in trace {trace_id}, '", found["one trace"]
    )
    assert "2 traces, not unified" in run(stage, trace_id, *WAIT, code=1)
    totals = json.loads(run(stage, "--last", "5", "--json", code=1))["totals"]
    counts = {name: totals[name] for name in ("traces", "calls", "split", "counted_twice")}
    assert counts == {"traces": 2, "calls": 1, "split": 1, "counted_twice": 1}
    assert totals["counted_too_much"]["tokens"] > 0


def test_the_demos_call_after_splicing(stage: Stage, mode: GatewayMode, prompt: Any) -> None:
    trace_id = of_demo(stage, mode, prompt, tracesplice.splice)
    found = json.loads(run(stage, trace_id, *WAIT, "--json", code=0))
    assert {each["title"] for each in found["checks"] if each["holds"]} == (
        {*TITLES.values()} - {TITLES["h"]}  # what Langfuse's API does not say
    )
    assert "✔ all holds" in run(stage, "--last", "5", code=0)


def ask(
    stage: Stage,
    mode: GatewayMode,
    change: Callable[[Link, Link], Link] = lambda own, _: own,
    *,
    settled: bool = True,
    **attributes: Any,
) -> str:
    """Make one call in a generation in a span; the id of its trace.

    `change` makes the link of the call from that of the generation and that of the span; `settled`
    says whether the generation leaves the counting to the gateway.
    """
    stage.clear()
    start, prompt = stage.langfuse.start_as_current_observation, stage.prompts[OWN]
    with propagate_attributes(**{**ATTRIBUTES, **attributes}), start(name="ask") as span:
        around = capture_link()
        with start(
            name="call", as_type="generation", model="chat", input=MESSAGES, prompt=prompt
        ) as own:
            body = {"model": "chat", "messages": MESSAGES}
            added = link_request(body, {}, link=change(capture_link(), around))
            sent = {**body, **added.body}
            reply = stage.gateways[mode].post("/v1/chat/completions", sent, added.headers)
            if settled:
                added.answered(dict(reply.headers))
            own.update(output=reply.json, usage_details=USED, cost_details={"total": 0.25})
    stage.langfuse.flush()
    assert reply.status == 200
    return str(span.trace_id)


def test_a_generation_beside_the_applications(stage: Stage, mode: GatewayMode) -> None:
    trace_id = ask(stage, mode, lambda own, around: around._replace(prompt=own.prompt))
    found = wrong(stage, trace_id)
    assert found.keys() >= {"right parent"}
    assert "nothing of the gateway under 'call'; it is under 'ask'" in found["right parent"]
    assert not found.keys() & {"one trace", "prompt on both sides"}


def test_a_prompt_on_one_side(stage: Stage, mode: GatewayMode) -> None:
    trace_id = ask(stage, mode, lambda own, _: own._replace(prompt=None))
    found = wrong(stage, trace_id)
    assert found.keys() == {"prompt on both sides"}
    assert (
        f"'call' of the application has prompt '{OWN}' version 2" in found["prompt on both sides"]
    )


def test_a_mask_that_does_not_know_of_the_call(stage: Stage, mode: GatewayMode) -> None:
    trace_id = ask(stage, mode, settled=False)
    found = wrong(stage, trace_id)
    assert found.keys() == {"counted once"}
    assert found["counted once"].startswith("counted by 'call' (7 tokens, $0.25) and by '")
    assert "mask_otel_spans=tracesplice.count_usage_once()" in run(stage, trace_id, code=1)


def test_a_cost_without_its_user(stage: Stage, mode: GatewayMode) -> None:
    trace_id = ask(stage, mode, lambda own, _: own._replace(user_id=None, session_id=None))
    [text] = wrong(stage, trace_id).values()
    assert "not 'user-1', session none, not 'session-1'" in text


def test_a_call_that_went_elsewhere(stage: Stage, mode: GatewayMode) -> None:
    with stage.langfuse.start_as_current_observation(name="call", as_type="generation") as own:
        pass
    stage.langfuse.flush()
    found = json.loads(run(stage, own.trace_id, "--wait", "0", "--json", code=1))
    assert found["calls"][0]["gateway"] == []
    assert "nothing of the gateway's for 'call' was found" in str(found["calls"])
