"""A few calls through a gateway of an older release, with the adapter and without.

What fails is in `releases.py`, with the reason, and turns a test red when it starts to hold.
"""

from __future__ import annotations

import importlib
import subprocess
from typing import TYPE_CHECKING

import pytest

from conformance.curl import BAGGAGE, PROMPT, Caller
from conformance.curl import CHAT as BODY
from conformance.harness import Cell, Outcome, Stage, run_cell, run_unspliced
from older_gateways.conftest import RELEASE
from older_gateways.releases import (
    CHAT,
    EMBEDDINGS,
    FAILED,
    RELEASES,
    RESPONSES,
    STREAM,
    Release,
)
from rig.gateway import GatewayMode
from rig.gateway._process import find_venv
from shapes.openai_application import OpenAIApplication
from shapes.openai_shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rig.gateway import Gateway
    from rig.recorder import Recorder

if RELEASE not in RELEASES:
    pytest.skip("run by nox, see CONTRIBUTING.md", allow_module_level=True)

CURRENT: Release = RELEASES[RELEASE]
REPORTS = "x-tracesplice-reports"
LOADS = (
    "from litellm.proxy.types_utils.utils import get_instance_fn; "
    "get_instance_fn('tracesplice_litellm.adapter', '/nowhere/config.yaml')"
)


def cells(names: Iterable[str]) -> list[Cell]:
    return [
        Cell(OpenAIApplication, shape, "sync", mode, enclosed=True, tracer="langfuse.openai")
        for mode in CURRENT.modes
        for name in names
        for shape in SHAPES
        if shape.name == name
    ]


WITH_ADAPTER = cells((CHAT, STREAM, RESPONSES, EMBEDDINGS, FAILED))
WITHOUT = cells((CHAT, RESPONSES))


@pytest.fixture(scope="module")
def judge() -> Callable[[Stage, Cell], Outcome]:
    importlib.import_module("langfuse.openai")
    found: dict[tuple[int, str], Outcome] = {}

    def run(stage: Stage, cell: Cell) -> Outcome:
        key = (id(stage.gateways), str(cell))
        if key not in found:
            stage.clear()
            found[key] = run_cell(stage, cell, run_unspliced(stage, cell))
        return found[key]

    return run


def expect(request: pytest.FixtureRequest, reason: str | None) -> None:
    if reason is not None:
        request.applymarker(pytest.mark.xfail(strict=True, reason=reason))


@pytest.mark.parametrize("cell", WITH_ADAPTER, ids=str)
@pytest.mark.parametrize("check", "abcdefg")
def test_with_adapter(
    stage: Stage,
    cell: Cell,
    check: str,
    judge: Callable[[Stage, Cell], Outcome],
) -> None:
    outcome = judge(stage, cell)
    assert outcome.checks[check] is None, outcome.recorded


@pytest.mark.parametrize("cell", WITHOUT, ids=str)
@pytest.mark.parametrize("check", "abcdefg")
def test_without(
    plain_stage: Stage,
    cell: Cell,
    check: str,
    judge: Callable[[Stage, Cell], Outcome],
    request: pytest.FixtureRequest,
) -> None:
    outcome = judge(plain_stage, cell)
    expect(request, CURRENT.without.get((cell.mode, cell.shape.name), {}).get(check))
    assert outcome.checks[check] is None, outcome.recorded


@pytest.fixture(params=CURRENT.modes, ids=lambda mode: mode.value)
def caller(
    request: pytest.FixtureRequest, gateways: dict[GatewayMode, Gateway], recorder: Recorder
) -> Caller:
    recorder.add_prompt(PROMPT, "Never used", labels=[])
    recorder.add_prompt(PROMPT, "Say {{what}}", labels=["production"])
    return Caller(gateways[request.param], recorder)


def test_standard_headers_are_enough(caller: Caller) -> None:
    assert caller.post(BODY, baggage=BAGGAGE).status == 200
    [generation] = caller.generations()
    assert (generation.prompt_name, generation.prompt_version) == (PROMPT, 2)
    assert (generation.user_id, generation.session_id) == ("user 1", "session-1")


def test_a_client_cannot_overwrite_the_trace(caller: Caller) -> None:
    keys = {"update_trace_keys": ["name", "input", "output"], "trace_name": "theirs"}
    caller.post({**BODY, "litellm_metadata": {**caller.metadata, **keys}})
    caller.generations()
    trace = caller.recorder.trace(caller.trace_id)
    assert trace is not None
    assert (trace.input, trace.output) == (None, None)


def test_an_answer_says_that_it_is_reported(caller: Caller, request: pytest.FixtureRequest) -> None:
    reply = caller.post(BODY)
    assert reply.status == 200
    caller.generations()
    expect(request, CURRENT.no_header)
    assert reply.headers[REPORTS] == "true"


@pytest.mark.parametrize("equipped", [True, False], ids=["with the adapter", "without"])
def test_a_streamed_responses_answer_has_its_tokens(
    both: tuple[dict[GatewayMode, Gateway], dict[GatewayMode, Gateway]],
    recorder: Recorder,
    request: pytest.FixtureRequest,
    *,
    equipped: bool,
) -> None:
    if not equipped and (GatewayMode.LANGFUSE, RESPONSES) in CURRENT.without:
        pytest.skip("its generation is in a trace of its own, where no test looks for it")
    gateways = both[0] if equipped else both[1]
    caller = Caller(gateways[GatewayMode.LANGFUSE], recorder)
    body = {"model": "openai-chat", "input": "hi", "stream": True}
    caller.post({**body, "litellm_metadata": caller.metadata}, "/responses")
    [generation] = caller.generations()
    assert generation.cost == pytest.approx(5e-6)
    expect(request, CURRENT.no_tokens.get(equipped))
    assert generation.usage["total"] == 3


@pytest.mark.skipif(not CURRENT.files, reason="these gateways have started with that line alone")
def test_one_line_finds_the_adapter(request: pytest.FixtureRequest) -> None:
    python = find_venv() / "bin" / "python"  # as a gateway that cannot start takes long to say so
    done = subprocess.run([python, "-c", LOADS], capture_output=True, text=True, check=False)
    expect(request, CURRENT.no_file)
    assert done.returncode == 0, done.stderr


def test_what_does_not_work_is_in_the_log_once(gateways: dict[GatewayMode, Gateway]) -> None:
    for mode, gateway in gateways.items():
        assert gateway.post("/chat/completions", BODY).status == 200
        untold = mode is GatewayMode.LANGFUSE and True in CURRENT.no_tokens
        limits = untold + (CURRENT.no_header is not None)
        assert gateway.log().count(f"LiteLLM {RELEASE} is old") == limits
