"""The chosen calls, whole: see `cells.py`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from conformance.cells import CELLS
from shapes.llama_index_application import WARNINGS

if TYPE_CHECKING:
    from collections.abc import Callable

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


@pytest.mark.usefixtures("_tracer")
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_cell(stage: Stage, cell: Cell, check: Callable[[Stage, Cell], None]) -> None:
    check(stage, cell)
