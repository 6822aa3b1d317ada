"""The LiteLLM SDK in a process that has imported ``langfuse.openai``, which patches OpenAI's.

After ``test_openai.py``: what is untraced there must run before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("openinference.instrumentation.litellm", reason="not in this set of packages")

from conformance.harness import UNTRACED, Cell
from shapes.conftest import SDK_TRACER
from shapes.litellm_application import OPENINFERENCE, LiteLLMApplication
from shapes.litellm_clients import WARNINGS, cleared_away
from shapes.litellm_shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = WARNINGS
# That an OpenAI client sends.
NAMES = (
    *("completion, litellm_proxy/", "completion, litellm_proxy/, stream", "completion, openai/"),
    *("embedding, litellm_proxy/", "anthropic.messages.create", "calls side by side"),
)
CELLS = [
    Cell(LiteLLMApplication, shape, kind, None, enclosed, tracer)
    for tracer in (OPENINFERENCE, UNTRACED)
    for shape in SHAPES
    if shape.name in NAMES
    for kind in shape.kinds
    for enclosed in (True, False)
]


@pytest.fixture(autouse=True)
def _patched() -> Iterator[None]:
    importlib.import_module(SDK_TRACER)
    with cleared_away():
        yield


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_it_changes_nothing(cell: Cell, judged: Any) -> None:
    # LiteLLM 1.110 asks by methods of the clients that `langfuse.openai` does not patch.
    outcome = judged(cell)
    assert not outcome.wrong, f"{outcome.wrong}\n{outcome.recorded}"
