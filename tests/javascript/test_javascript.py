"""Calls of JavaScript programs, judged as those of Python are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from javascript.conftest import ENVIRONMENT
from javascript.page import PAGE, filled
from tracesplice_view import Expected, Seen, judge

if TYPE_CHECKING:
    from javascript.conftest import Node
    from tracesplice_testing.gateway import Gateway
    from tracesplice_testing.recorder import Observation, Recorder, Trace

TAGS = ("a,b", "grün")
GREETING = ("greeting", 2)


@dataclass(frozen=True)
class Case:
    """A call of program.mjs.

    Attributes:
        observations: The generations of its own that the calls belong to.
        generations: How many the gateway reports.
        tokens: What the client's side counts itself.
        under: The span they belong to, if not a generation or that of its name.
    """

    observations: int = 1
    generations: int = 1
    tokens: int = 0
    under: str = ""


CASES = {
    "chat": Case(),
    "stream": Case(),
    "stream_with_usage": Case(),
    "stream_helper": Case(),
    "parse": Case(),
    "responses": Case(),
    "embeddings": Case(),
    "at_once": Case(5, 5),
    "one_after_the_other": Case(3, 3),
    "own_active": Case(),
    "own_not_active": Case(),
    "span_only": Case(0),
    "inside_a_web_server": Case(0),
    "failing": Case(),
    "retried": Case(generations=2),
    "ai_sdk": Case(),
    "ai_sdk_stream": Case(),
    "ai_sdk_tools": Case(2, 2),
    "ai_sdk_embed": Case(0, under="ai.embed.doEmbed"),
    "elsewhere": Case(generations=0, tokens=3),
    "not_logged": Case(generations=0, tokens=3),
    "no_span": Case(),
}
CALLS = sum(case.generations for case in CASES.values())


def is_own(observation: Observation) -> bool:
    """Whether the program made it."""
    return observation.name in {*CASES, "mine", "greet"} or observation.name.startswith(
        ("OpenAI.", "ai.")
    )


def gateways_side(recorder: Recorder) -> list[Observation]:
    return [each for each in recorder.observations() if not is_own(each)]


def complete(recorder: Recorder, calls: int) -> list[Trace] | None:
    """All traces, once the gateway reported as many calls."""
    return recorder.traces() if len(gateways_side(recorder)) >= calls else None


@pytest.fixture(scope="module")
def traces(gateway: Gateway, node: Node, recorder: Recorder) -> dict[str, Trace]:
    """What arrived of each case, by its name."""
    recorder.clear()
    node.run("program.mjs", gateway)
    found = recorder.wait_for(partial(complete, calls=CALLS))
    assert {trace.name for trace in found} == CASES.keys()
    assert {each.kind for each in recorder.problems()} <= {"prompt-type"}
    return {str(trace.name): trace for trace in found}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_trace_and_counted_once(name: str, traces: dict[str, Trace]) -> None:
    case, trace = CASES[name], traces[name]
    own = [each for each in trace.observations if is_own(each)]
    gateway = [each for each in trace.observations if not is_own(each)]
    assert len(gateway) == case.generations, trace.tree()
    if case.tokens:
        assert trace.usage["total"] == case.tokens, trace.tree()
        return
    root = next((each.id for each in own if each.name == (case.under or name)), None)
    who = ("user-1", "session-1", TAGS)
    expected = Expected(case.observations, 1, [GREETING], who, ENVIRONMENT, costs=True)
    by_id = {each.id: each for each in trace.observations}
    seen = Seen(expected, by_id, {each.id for each in own}, gateway, {trace.id: trace}, root)
    checks = {check: text for check, text in judge(seen).items() if text is not None}
    # Langfuse reads them on any span of the AI SDK.
    assert not [each.line() for each in own if "ai.usage." in str(each.attributes.keys())]
    if name in ("at_once", "one_after_the_other"):  # each for a user of its own
        del checks["d"]
        assert len({each.user_id for each in gateway}) == case.observations
        assert all(each.user_id == by_id[str(each.parent_id)].user_id for each in gateway)
    assert not checks, trace.tree()
    assert {each.metadata["größe"] for each in gateway} == {"1 %"}


@pytest.mark.parametrize("program", ["quickstart.mjs", "by_hand.mjs"])
def test_what_the_page_shows(
    program: str, gateway: Gateway, node: Node, recorder: Recorder
) -> None:
    recorder.clear()
    assert node.run(program, gateway) == "echo: Say hello.\n"
    [trace] = recorder.wait_for(partial(complete, calls=1))
    [generation] = gateways_side(recorder)
    [own] = [each for each in trace.observations if each.id == generation.parent_id]
    assert own.type == "GENERATION", trace.tree()
    assert (generation.user_id, generation.session_id) == ("ada", "monday")
    assert generation.tags == ("example",)
    for each in (own, generation):
        assert (each.prompt_name, each.prompt_version) == ("greeting", 1)
        assert each.environment == ENVIRONMENT
    assert trace.usage["total"] == generation.usage["total"] > 0
    assert trace.cost == generation.cost > 0


def test_the_page_has_the_programs_as_they_are() -> None:
    assert PAGE.read_text() == filled(PAGE.read_text())
    assert PAGE.read_text().count("import OpenAI") == 2
