"""The stage in process: a server in the gateway's place, and one Langfuse client."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest

from conformance.forms import form_of
from conformance.harness import client_side, run_cell, run_unspliced
from rig.model import ModelServer
from rig.recorder import Recorder
from rig.recorder.exporter import RecorderExporter
from shapes.outcomes import Outcomes
from shapes.wire import Wire, WireStage, judge, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.harness import Cell

SDK_TRACER = "langfuse.openai"


@pytest.fixture(scope="session")
def stage() -> Iterator[WireStage]:
    # A server that knows every model: what gives neither usage nor cost is priced.
    prices = {"input": 7e-6, "output": 11e-6}
    with (
        Recorder(default_prices=prices) as recorder,
        ModelServer() as model,
        client_side(recorder, span_exporter=RecorderExporter(recorder)) as client,
    ):
        yield WireStage(gateways={}, wire=Wire(model), **client)


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Iterator[Outcomes]:
    cells: list[Cell] = request.module.CELLS
    found = Outcomes(cells[0].framework.name, request.module.PACKAGES)
    yield found
    # A run of a few cells picked by hand says nothing of the others.
    if found.cells == len(cells):
        found.save()


@pytest.fixture
def _tracer(cell: Cell) -> None:
    """Langfuse patches the OpenAI SDK for the rest of the process, so the others come first."""
    if cell.tracer == SDK_TRACER:
        importlib.import_module(SDK_TRACER)
    else:
        assert SDK_TRACER not in sys.modules, "run tests/shapes by itself"


@pytest.fixture(scope="module")
def check(stage: WireStage, outcomes: Outcomes) -> Callable[[Cell], None]:
    """Runs a cell, notes what became of it, and fails for what does not hold."""
    unspliced: dict[tuple[str, ...], tuple[Any, Any]] = {}

    def run(cell: Cell) -> None:
        key = (cell.shape.name, cell.kind, cell.tracer)
        if key not in unspliced:
            stage.clear()
            unspliced[key] = run_unspliced(stage, cell), plain(stage.wire.model.calls)
        answer, sent = unspliced[key]
        outcome = run_cell(stage, cell, answer)
        checks = dict(outcome.checks)
        for name, text in judge(stage, cell, sent).items():
            checks[name] = checks.get(name) or text
        outcomes.add(cell, checks, {str(form_of(each)) for each in stage.wire.model.calls})
        wrong = {name: text for name, text in checks.items() if text is not None}
        assert not wrong, f"{wrong}\n{outcome.recorded}"

    return run
