"""LlamaIndex's table: call shape x gateway mode x enclosing span x client tracing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.harness import UNTRACED, Cell, Stage
from rig.gateway import GatewayMode
from shapes.llama_index_application import OPENINFERENCE, WARNINGS, LlamaIndexApplication
from shapes.llama_index_shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.usefixtures("_sdk_untraced"), *WARNINGS]

PACKAGES = ("llama-index-llms-openai-like", "llama-index-core", "openai", "langfuse")

CELLS = [
    Cell(LlamaIndexApplication, shape, kind, mode, enclosed, tracer)
    for shape in SHAPES
    for tracer in (OPENINFERENCE, UNTRACED)
    for kind in shape.kinds
    for mode in GatewayMode
    for enclosed in (True, False)
]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_cell(stage: Stage, cell: Cell, check: Callable[[Stage, Cell], Any]) -> None:
    check(stage, cell)
