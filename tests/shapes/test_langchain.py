"""Every way LangChain calls a model, with and without a span, by every tracer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.harness import UNTRACED, Cell
from shapes.langchain_application import HANDLER, OPENINFERENCE, LangChainApplication
from shapes.langchain_chains import OBSERVED
from shapes.langchain_shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("langchain-openai", "langchain", "langgraph", "openai", "langfuse")
CELLS = [
    Cell(LangChainApplication, shape, kind, None, enclosed, tracer)
    for shape in SHAPES
    for tracer in (HANDLER, OPENINFERENCE, UNTRACED)
    if (shape.name, tracer) != (OBSERVED, UNTRACED)  # it opens a span itself
    for kind in shape.kinds
    for enclosed in (True, False)
]


@pytest.mark.usefixtures("_tracer")
# LangChain's own, on a streamed answer with a schema.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_call(cell: Cell, check: Callable[[Cell], Any]) -> None:
    check(cell)
