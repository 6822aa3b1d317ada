"""The chosen calls, whole: see `cells.py`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from conformance.cells import CELLS
from shapes.litellm_clients import WARNINGS as LITELLM
from shapes.litellm_clients import cleared_away
from shapes.llama_index_application import WARNINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.harness import Cell, Stage

pytestmark = [
    *WARNINGS,
    # LangChain's own, on a streamed answer with a schema.
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning"),
]


@pytest.fixture
def _tracer(cell: Cell, request: pytest.FixtureRequest) -> None:
    if cell.tracer == "langfuse.openai":
        importlib.import_module("langfuse.openai")
    else:
        request.getfixturevalue("_sdk_untraced")


@pytest.fixture(scope="module", autouse=True)
def _clear_away() -> Iterator[None]:
    with cleared_away():
        yield


def _marked(cell: Cell) -> Any:
    on_litellm = cell.framework.name == "LiteLLM SDK" or "LiteLLM" in cell.shape.name
    return pytest.param(cell, marks=LITELLM if on_litellm else (), id=str(cell))


@pytest.mark.usefixtures("_tracer")
@pytest.mark.parametrize("cell", [_marked(each) for each in CELLS])
def test_cell(stage: Stage, cell: Cell, check: Callable[[Stage, Cell], None]) -> None:
    check(stage, cell)
