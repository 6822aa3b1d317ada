"""Every way LlamaIndex calls a model, with and without a span, with OpenInference and without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("llama_index.llms.openai_like", reason="not on openai 3 yet")

from conformance.harness import UNTRACED, Cell
from shapes.llama_index_application import (
    OPENINFERENCE,
    WARNINGS,
    LlamaIndexApplication,
)
from shapes.llama_index_shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = WARNINGS
PACKAGES = ("llama-index-llms-openai-like", "llama-index-core", "openai", "langfuse")
CELLS = [
    Cell(LlamaIndexApplication, shape, kind, None, enclosed, tracer)
    for shape in SHAPES
    for tracer in (OPENINFERENCE, UNTRACED)
    for kind in shape.kinds
    for enclosed in (True, False)
]


@pytest.mark.usefixtures("_tracer")
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_call(cell: Cell, check: Callable[[Cell], Any]) -> None:
    check(cell)
