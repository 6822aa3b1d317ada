"""The OpenAI SDK's table: call shape x gateway mode x enclosing span x client tracing."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest

from conformance.harness import Cell, Stage, run_cell, run_unspliced
from conformance.shapes import SHAPES
from rig.gateway import GatewayMode

if TYPE_CHECKING:
    from conformance.table import Table

PACKAGES = ("openai", "langfuse")
NEEDS_GATEWAY_ADAPTER = "LiteLLM drops the prompt in its OpenTelemetry modes"

# langfuse.openai patches the SDK for the rest of the process, so what is untraced runs first.
CELLS = [
    Cell(shape, kind, mode, enclosed, traced)
    for traced in (False, True)
    for shape in SHAPES
    for kind in shape.kinds
    for mode in GatewayMode
    for enclosed in (True, False)
]
_answers: dict[tuple[str, str, GatewayMode], Any] = {}


@pytest.fixture
def expected_answer(stage: Stage, request: pytest.FixtureRequest) -> Any:
    cell: Cell = request.getfixturevalue("cell")
    key = (cell.shape.name, cell.kind, cell.mode)
    if key not in _answers:
        stage.recorder.clear()
        _answers[key] = run_unspliced(stage, cell)
    return _answers[key]


@pytest.fixture
def _tracer(cell: Cell) -> None:
    if cell.traced:
        importlib.import_module("langfuse.openai")
    else:
        assert "langfuse.openai" not in sys.modules, "run tests/conformance by itself"


@pytest.mark.usefixtures("_tracer")
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_cell(stage: Stage, cell: Cell, expected_answer: Any, table: Table) -> None:
    outcome = run_cell(stage, cell, expected_answer)
    cures = {} if cell.mode is GatewayMode.LANGFUSE else {"c": NEEDS_GATEWAY_ADAPTER}
    table.add("OpenAI SDK", cell, outcome, cures)
    wrong = {check: text for check, text in outcome.checks.items() if text is not None}
    assert wrong.keys() == cures.keys(), f"{wrong}\n{outcome.recorded}"
    assert all(text.startswith("the gateway") for text in wrong.values()), wrong
