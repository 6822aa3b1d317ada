"""Frameworks in a process that has imported ``langfuse.openai``, which patches the SDK.

After ``test_openai.py``: what is untraced there must run before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("llama_index.llms.openai_like", reason="not on openai 3 yet")

from shapes.at_once import owners
from shapes.conftest import SDK_TRACER
from shapes.langchain_application import HANDLER
from shapes.llama_index_application import OPENINFERENCE, WARNINGS
from shapes.shape import AMBIENT
from shapes.test_langchain import CELLS as LANGCHAIN
from shapes.test_llama_index import CELLS as LLAMA_INDEX

if TYPE_CHECKING:
    from conformance.harness import Cell
    from shapes.wire import WireStage

pytestmark = WARNINGS
CELLS = [
    cell
    for cell in (*LANGCHAIN, *LLAMA_INDEX)
    if cell.tracer in (HANDLER, OPENINFERENCE)
    if cell.shape.prompts != (AMBIENT,) and not cell.enclosed
    if "LiteLLM" not in cell.shape.name  # whose calls `langfuse.openai` makes no generation of
]


@pytest.fixture(autouse=True)
def _patched() -> None:
    importlib.import_module(SDK_TRACER)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_both_generations_are_in_one_tree(stage: WireStage, cell: Cell, judged: Any) -> None:
    outcome = judged(cell)
    # The inner one says nothing of the call's prompt.
    assert not outcome.wrong.keys() - {"c"}, f"{outcome.wrong}\n{outcome.recorded}"
    by_id = {each.id: each for each in stage.observations()}
    for generation in stage.reported():
        sdk = by_id[generation.parent_id or ""]
        above = by_id[sdk.parent_id or ""]
        assert (sdk.name, above.type) == ("OpenAI-generation", "GENERATION")
        assert generation.prompt_name == above.prompt_name in cell.prompts, outcome.recorded


def test_at_the_same_time_each_is_under_its_own(stage: WireStage) -> None:
    assert owners(stage) == {"OpenAI-generation"}
