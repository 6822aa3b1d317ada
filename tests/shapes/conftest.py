"""The stage in process: a server in the gateway's place, and one Langfuse client."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest

from conformance.forms import form_of
from conformance.harness import client_side, run_unspliced
from shapes.outcomes import Outcomes
from shapes.repairs import TABLE, repairs, taken_away
from shapes.wire import Wire, WireStage, plain, run
from tracesplice_testing.model import ModelServer
from tracesplice_testing.recorder import Recorder
from tracesplice_testing.recorder.exporter import RecorderExporter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.harness import Cell, Outcome

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
def judged(stage: WireStage) -> Callable[[Cell], Outcome]:
    """Runs a cell and judges it."""
    unspliced: dict[tuple[str, ...], tuple[Any, Any]] = {}

    def judge(cell: Cell) -> Outcome:
        key = (cell.shape.name, cell.kind, cell.tracer)
        if key not in unspliced:
            stage.clear()
            try:
                unspliced[key] = run_unspliced(stage, cell), plain(stage.requests)
            except NotImplementedError as error:
                pytest.skip(f"not in this release: {error}")
        return run(stage, cell, *unspliced[key])

    return judge


@pytest.fixture(scope="module")
def check(stage: WireStage, outcomes: Outcomes, judged: Any) -> Callable[[Cell], None]:
    """Runs a cell, notes what became of it, and fails for what does not hold."""

    def run_and_note(cell: Cell) -> None:
        outcome = judged(cell)
        outcomes.add(cell, outcome.wrong, {str(form_of(each)) for each in stage.requests})
        assert not outcome.wrong, f"{outcome.wrong}\n{outcome.recorded}"

    return run_and_note


@pytest.fixture
def without(judged: Any) -> Callable[[list[Cell], str, str], None]:
    """Sees that a call is as wrong as the table in README.md says without a method of ours."""

    def run_without(cells: list[Cell], framework: str, method: str) -> None:
        name, letters = TABLE[framework, method]
        if "LiteLLM" in name:
            pytest.importorskip("litellm")
        [cell] = [each for each in cells if str(each) == name]
        if cell.tracer == SDK_TRACER:
            importlib.import_module(SDK_TRACER)
        assert not judged(cell).wrong
        if method not in repairs(framework):
            pytest.skip("not wrapped in this release")
        with taken_away(framework, method):
            outcome = judged(cell)
        assert outcome.wrong.keys() & {*letters}, f"{outcome.wrong}\n{outcome.recorded}"

    return run_without
