"""Frameworks in a process that has imported ``langfuse.openai``, which patches the SDK.

After ``test_openai.py``: what is untraced there must run before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from conformance.frameworks_at_once import judge
from conformance.harness import Cell, gateway_generations, run_cell
from rig.gateway import GatewayMode
from shapes.langchain_application import HANDLER, LangChainApplication
from shapes.langchain_shapes import SHAPES as LANGCHAIN
from shapes.llama_index_application import OPENINFERENCE, WARNINGS, LlamaIndexApplication
from shapes.llama_index_shapes import SHAPES as LLAMA_INDEX

if TYPE_CHECKING:
    from conformance.harness import Stage

pytestmark = WARNINGS
SHAPE = {shape.name: shape for shape in (*LANGCHAIN, *LLAMA_INDEX)}


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    ("framework", "name", "tracer", "owner"),
    [
        (LangChainApplication, "chain", HANDLER, "ChatOpenAI"),
        (LangChainApplication, "chain, stream", HANDLER, "ChatOpenAI"),
        (LlamaIndexApplication, "OpenAILike.predict", OPENINFERENCE, "OpenAILike.chat"),
        (LlamaIndexApplication, "OpenAILike.stream", OPENINFERENCE, "OpenAILike.stream_chat"),
    ],
)
def test_both_generations_are_in_one_tree(
    stage: Stage, framework: Any, name: str, tracer: str, owner: str, kind: str
) -> None:
    importlib.import_module("langfuse.openai")
    cell = Cell(framework, SHAPE[name], kind, GatewayMode.LANGFUSE, enclosed=False, tracer=tracer)
    outcome = run_cell(stage, cell, None)
    by_id = {each.id: each for each in stage.observations()}
    [gateway] = gateway_generations(stage)
    sdk = by_id[gateway.parent_id or ""]
    above = by_id[sdk.parent_id or ""]
    assert sdk.name == "OpenAI-generation"
    assert str(above.name).replace(".a", ".") == owner
    assert gateway.prompt_name == above.prompt_name == "own"
    assert outcome.checks["a"] is None, outcome.recorded
    assert outcome.checks["d"] is None, outcome.recorded
    assert outcome.checks["g"] is None, outcome.recorded


def test_at_the_same_time_each_is_under_its_own(stage: Stage) -> None:
    importlib.import_module("langfuse.openai")
    assert judge(stage) == {"OpenAI-generation"}
