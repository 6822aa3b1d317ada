"""What holds in a gateway without ``tracesplice-litellm``: a few calls in each mode.

Last, as it starts three more gateways.
"""

from __future__ import annotations

import importlib
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance.curl import CHAT, Caller
from conformance.harness import Cell, Outcome, Stage, run_cell, run_unspliced
from rig.gateway import Gateway, GatewayMode
from shapes.openai_application import OpenAIApplication
from shapes.openai_shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rig.model import ModelServer
    from rig.recorder import Recorder

NEEDS_ADAPTER = "LiteLLM drops the prompt in its OpenTelemetry modes: install tracesplice-litellm"
NAMES = ("chat.completions.create", "chat.completions.create, stream", "responses.create")
CELLS = [
    Cell(OpenAIApplication, shape, "sync", mode, enclosed=True, tracer="langfuse.openai")
    for shape in SHAPES
    if shape.name in NAMES
    for mode in GatewayMode
]


@pytest.fixture(scope="module")
def plain_stage(stage: Stage, recorder: Recorder, model: ModelServer) -> Iterator[Stage]:
    plain = {
        mode: Gateway(mode, langfuse_env=recorder.env(), model_url=model.url)
        for mode in GatewayMode
    }
    with ExitStack() as stack:
        for gateway in plain.values():
            stack.callback(gateway.stop)
            gateway.start()
        for gateway in plain.values():
            gateway.wait_ready()
        yield replace(stage, gateways=plain)


@pytest.fixture(scope="module")
def outcomes(plain_stage: Stage) -> dict[str, Outcome]:
    importlib.import_module("langfuse.openai")
    found = {}
    for cell in CELLS:
        plain_stage.clear()
        answer: Any = run_unspliced(plain_stage, cell)
        found[str(cell)] = run_cell(plain_stage, cell, answer)
    return found


@pytest.mark.parametrize("cell", CELLS, ids=str)
@pytest.mark.parametrize("check", "abdefg")
def test_holds(outcomes: dict[str, Outcome], cell: Cell, check: str) -> None:
    outcome = outcomes[str(cell)]
    assert outcome.checks[check] is None, outcome.recorded


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_prompt(outcomes: dict[str, Outcome], cell: Cell, request: pytest.FixtureRequest) -> None:
    if cell.mode is not GatewayMode.LANGFUSE:
        request.applymarker(pytest.mark.xfail(strict=True, reason=NEEDS_ADAPTER))
    assert outcomes[str(cell)].checks["c"] is None


FAULTS = {
    "the cost is not what Langfuse reads": GatewayMode.LANGFUSE_OTEL,
    "a failed call has no reason": GatewayMode.LANGFUSE_OTEL,
    "an unsampled trace is reported": GatewayMode.LANGFUSE,
}


@pytest.mark.xfail(strict=True, reason="LiteLLM 1.108: tracesplice-litellm makes up for it")
@pytest.mark.parametrize("what", FAULTS)
def test_what_litellm_reports(plain_stage: Stage, what: str) -> None:
    caller = Caller(plain_stage.gateways[FAULTS[what]], plain_stage.recorder)
    if what.startswith("a failed"):
        caller.post({**CHAT, "model": "broken"})
        [generation] = caller.generations()
        assert generation.status_message
    elif what.startswith("an unsampled"):
        sent = f"{caller.traceparent[:-2]}00"
        caller.post({**CHAT, "litellm_metadata": caller.metadata}, traceparent=sent)
        following = Caller(caller.gateway, caller.recorder)
        following.post(CHAT)
        following.generations()
        assert not caller.reported()
    else:
        caller.post(CHAT)
        [generation] = caller.generations()
        assert "langfuse.observation.cost_details" in generation.attributes
