"""Each wire form through a gateway of an older release, with the adapter, and a few without.

What fails is in `releases.py`, with the reason, and turns a test red when it starts to hold.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conformance.curl import BAGGAGE, CHAT, REPORTS, Caller, is_linked
from conformance.requests import BODIES, REQUESTS, cell, wrong
from older_gateways.conftest import MODES, RELEASE
from older_gateways.releases import RELEASES, Release
from tracesplice_testing.gateway import GatewayMode
from tracesplice_testing.gateway._process import find_venv

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.harness import Cell, Stage
    from tracesplice_testing.gateway import Gateway
    from tracesplice_testing.recorder import Recorder

if RELEASE not in RELEASES:
    pytest.skip("run by nox, see CONTRIBUTING.md", allow_module_level=True)

CURRENT: Release = RELEASES[RELEASE]
CELLS = [
    cell(name, mode)
    for mode in MODES
    for name, request in REQUESTS.items()
    if request.path not in CURRENT.silent.get(mode, ())
]
PLAIN = ("/chat/completions json body+header prompt", "/responses json body+header prompt")
LOADS = (
    "from litellm.proxy.types_utils.utils import get_instance_fn; "
    "get_instance_fn('tracesplice_litellm.adapter', '/nowhere/config.yaml')"
)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_form(stage: Stage, cell: Cell, check: Callable[..., None]) -> None:
    check(stage, cell, CURRENT.fails(cell.mode, REQUESTS[cell.shape.name].form))


SILENT = [(mode, path) for mode, paths in CURRENT.silent.items() for path in paths]


@pytest.mark.parametrize(("mode", "path"), SILENT, ids=str)
def test_it_makes_no_generation(caller: Caller, path: str) -> None:
    assert caller.post(BODIES[path], path).status == 200
    assert caller.left_out()


@pytest.mark.parametrize("name", PLAIN)
def test_without_the_adapter(
    stage: Stage, plain: dict[GatewayMode, Gateway], name: str, mode: GatewayMode
) -> None:
    found = wrong(replace(stage, gateways=plain), cell(name, mode))
    assert found & set("abcdefg") == set(CURRENT.without.get((mode, name), ""))


@pytest.fixture
def caller(gateways: dict[GatewayMode, Gateway], recorder: Recorder, mode: GatewayMode) -> Caller:
    return Caller(gateways[mode], recorder)


def test_standard_headers_are_enough(caller: Caller) -> None:
    reply = caller.post(CHAT, baggage=BAGGAGE)
    [generation] = caller.generations()
    is_linked(caller, generation)
    assert (generation.user_id, generation.session_id) == ("user 1", "session-1")
    assert reply.headers[REPORTS] == (None if CURRENT.no_header else "true")


def test_a_client_cannot_overwrite_the_trace(caller: Caller) -> None:
    keys = {"update_trace_keys": ["name", "input", "output"], "trace_name": "theirs"}
    caller.post({**CHAT, "litellm_metadata": {**caller.metadata, **keys}})
    caller.generations()
    trace = caller.recorder.trace(caller.trace_id)
    assert trace is not None
    assert (trace.input, trace.output) == (None, None)


@pytest.mark.parametrize("equipped", [True, False], ids=["with the adapter", "without"])
def test_a_streamed_responses_answer_has_its_tokens(
    gateways: dict[GatewayMode, Gateway],
    plain: dict[GatewayMode, Gateway],
    recorder: Recorder,
    *,
    equipped: bool,
) -> None:
    if not equipped and (GatewayMode.LANGFUSE, PLAIN[1]) in CURRENT.without:
        pytest.skip("its generation is in a trace of its own, where no test looks for it")
    caller = Caller((gateways if equipped else plain)[GatewayMode.LANGFUSE], recorder)
    body = {"model": "openai-chat", "input": "hi", "stream": True}
    caller.post({**body, "litellm_metadata": caller.metadata}, "/responses")
    found = caller.generations()
    ends = [each for each in found if each.level == "ERROR" and CURRENT.reports_ends]
    assert not any(each.usage or each.cost for each in ends)
    [generation] = [each for each in found if each not in ends]
    assert generation.cost == pytest.approx(5e-6)
    assert generation.usage["total"] == (0 if equipped in CURRENT.no_tokens else 3)


@pytest.mark.skipif(not CURRENT.files, reason="these gateways have started with that line alone")
def test_one_line_does_not_find_the_adapter_yet() -> None:
    python = find_venv() / "bin" / "python"  # as a gateway that cannot start takes long to say so
    done = subprocess.run([python, "-c", LOADS], capture_output=True, text=True, check=False)
    assert done.returncode != 0


def test_what_does_not_work_is_in_the_log_once(gateways: dict[GatewayMode, Gateway]) -> None:
    for mode, gateway in gateways.items():
        assert gateway.post("/chat/completions", CHAT).status == 200
        untold = mode is GatewayMode.LANGFUSE and True in CURRENT.no_tokens
        limits = untold + CURRENT.no_header
        assert gateway.log().count(f"LiteLLM {RELEASE} is old") == limits
