"""The OpenAI SDK's table: call shape x gateway mode x enclosing span x client tracing."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from conformance.harness import UNTRACED, Cell, Stage
from rig.gateway import GatewayMode
from shapes.openai_application import OpenAIApplication
from shapes.openai_shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("openai", "langfuse")

# langfuse.openai patches the SDK for the rest of the process, so what is untraced runs first.
CELLS = [
    Cell(OpenAIApplication, shape, kind, mode, enclosed, tracer)
    for tracer in (UNTRACED, "langfuse.openai")
    for shape in SHAPES
    for kind in shape.kinds
    for mode in GatewayMode
    for enclosed in (True, False)
]


@pytest.fixture
def _tracer(cell: Cell, request: pytest.FixtureRequest) -> None:
    if cell.is_traced:
        importlib.import_module("langfuse.openai")
    else:
        request.getfixturevalue("_sdk_untraced")


@pytest.mark.usefixtures("_tracer")
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_cell(stage: Stage, cell: Cell, check: Callable[[Stage, Cell], Any]) -> None:
    check(stage, cell)
