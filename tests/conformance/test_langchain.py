"""LangChain's table: call shape x gateway mode x enclosing span x client tracing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.harness import UNTRACED, Cell, Stage
from conformance.langchain_application import HANDLER, OPENINFERENCE, LangChainApplication
from conformance.langchain_shapes import SHAPES
from conformance.shape import AMBIENT
from rig.gateway import GatewayMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.shape import Shape

PACKAGES = ("langchain-openai", "langchain", "langgraph", "openai", "langfuse")


def _tracers(shape: Shape) -> Iterator[str]:
    yield HANDLER
    # OpenInference knows nothing of Langfuse's prompts.
    if shape.observations and shape.prompts == (AMBIENT,) and shape.attributes is None:
        yield OPENINFERENCE
        yield UNTRACED


CELLS = [
    Cell(LangChainApplication, shape, kind, mode, enclosed, tracer)
    for shape in SHAPES
    for tracer in _tracers(shape)
    for kind in shape.kinds
    for mode in GatewayMode
    for enclosed in (True, False)
]


# LangChain's own, on a streamed answer with a schema.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_cell(stage: Stage, cell: Cell, check: Callable[[Stage, Cell], Any]) -> None:
    check(stage, cell)
