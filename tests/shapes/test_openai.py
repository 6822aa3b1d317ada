"""Every call of the OpenAI SDK, with and without a span, with `langfuse.openai` and without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.harness import UNTRACED, Cell
from shapes.conftest import SDK_TRACER
from shapes.openai_application import OpenAIApplication
from shapes.openai_shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("openai", "langfuse")
CELLS = [
    Cell(OpenAIApplication, shape, kind, None, enclosed, tracer)
    for tracer in (UNTRACED, SDK_TRACER)
    for shape in SHAPES
    for kind in shape.kinds
    for enclosed in (True, False)
]


@pytest.mark.usefixtures("_tracer")
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_call(cell: Cell, check: Callable[[Cell], Any]) -> None:
    check(cell)
