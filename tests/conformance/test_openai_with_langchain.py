"""LangChain calls in a process that has imported ``langfuse.openai``, which patches the SDK.

After ``test_openai.py``: what is untraced there must run before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from conformance.harness import Cell, gateway_generations, run_cell
from conformance.langchain_application import HANDLER, LangChainApplication
from conformance.langchain_shapes import SHAPES
from rig.gateway import GatewayMode

if TYPE_CHECKING:
    from conformance.harness import Stage

SHAPE = {shape.name: shape for shape in SHAPES}


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("name", ["chain", "chain, stream"])
def test_both_generations_are_in_one_tree(stage: Stage, name: str, kind: str) -> None:
    importlib.import_module("langfuse.openai")
    mode = GatewayMode.LANGFUSE
    cell = Cell(LangChainApplication, SHAPE[name], kind, mode, enclosed=False, tracer=HANDLER)
    outcome = run_cell(stage, cell, None)
    by_id = {each.id: each for each in stage.recorder.observations()}
    [gateway] = gateway_generations(stage, stage.recorder)
    sdk = by_id[gateway.parent_id or ""]
    assert sdk.name == "OpenAI-generation"
    assert by_id[sdk.parent_id or ""].name == "ChatOpenAI"
    assert gateway.prompt_name == by_id[sdk.parent_id or ""].prompt_name == "own"
    assert outcome.checks["a"] is None, outcome.recorded
    assert outcome.checks["d"] is None, outcome.recorded
