"""LangChain's table: call shape x gateway mode x enclosing span x client tracing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.harness import UNTRACED, Cell, Stage
from rig.gateway import GatewayMode
from shapes.langchain_application import HANDLER, OPENINFERENCE, LangChainApplication
from shapes.langchain_shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shapes.shape import Shape

PACKAGES = ("langchain-openai", "langchain", "langgraph", "openai", "langfuse")


# The ways a request comes about; what else there is differs in the handler alone.
EVERY_TRACER = {
    "ChatOpenAI.invoke",
    "ChatOpenAI.stream",
    "ChatOpenAI.batch",
    "ChatOpenAI.generate, two inputs",
    "ChatOpenAI.astream_events",
    "RunnableParallel of two models",
    "with_fallbacks after a failure",
    "with_fallbacks, stream",
    "create_agent with a tool",
    "create_agent with a tool, stream of messages",
}


def _tracers(shape: Shape) -> Iterator[str]:
    yield HANDLER
    if shape.name in EVERY_TRACER:
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


@pytest.mark.usefixtures("_sdk_untraced")
# LangChain's own, on a streamed answer with a schema.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_cell(stage: Stage, cell: Cell, check: Callable[[Stage, Cell], Any]) -> None:
    check(stage, cell)
