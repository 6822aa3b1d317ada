"""Every way LlamaIndex calls a model, with and without a span, with OpenInference and without."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

pytest.importorskip("llama_index.llms.openai_like", reason="not on openai 3 yet")

from conformance.harness import UNTRACED, Cell
from rig.llama_index_tracing import llama_index_traced
from rig.patience import PATIENCE
from shapes.litellm_clients import WARNINGS as LITELLM
from shapes.litellm_clients import cleared_away
from shapes.llama_index_application import (
    OLDER_OPENINFERENCE,
    OPENINFERENCE,
    WARNINGS,
    LlamaIndexApplication,
)
from shapes.llama_index_shapes import SHAPES
from shapes.repairs import TABLE, unproved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = WARNINGS
NAME = LlamaIndexApplication.name
PACKAGES = ("llama-index-llms-openai-like", "llama-index-core", "openai", "langfuse")
# Their spans have to be found otherwise than as the current one.
NOT_CURRENT = {
    "OpenAILike.chat",
    "OpenAILike.stream_chat",
    "OpenAILike(is_chat_model=False).complete",
    "OpenAILike(is_chat_model=False).stream_complete",
    "OpenAILikeEmbedding.get_query_embedding",
    "OpenAILikeEmbedding.get_text_embedding_batch",
    "OpenAIEmbedding.get_text_embedding",
}
CELLS = [
    Cell(LlamaIndexApplication, shape, kind, None, enclosed, tracer)
    for shape in SHAPES
    for tracer in (OPENINFERENCE, UNTRACED, OLDER_OPENINFERENCE)
    if tracer != OLDER_OPENINFERENCE or shape.name in NOT_CURRENT
    for kind in shape.kinds
    for enclosed in (True, False)
    if not (enclosed and shape.opens_span)
]


@pytest.fixture(scope="module", autouse=True)
def _clear_away() -> Iterator[None]:
    with cleared_away():
        yield


def _marked(cell: Cell) -> Any:
    marks = LITELLM if cell.shape.name.startswith("LiteLLM") else ()
    return pytest.param(cell, marks=marks, id=str(cell))


@pytest.mark.usefixtures("_tracer")
@pytest.mark.parametrize("cell", [_marked(each) for each in CELLS])
def test_call(cell: Cell, check: Callable[[Cell], Any]) -> None:
    check(cell)


@pytest.mark.parametrize("method", [name for framework, name in TABLE if framework == NAME])
def test_without_a_wrapped_method_a_call_is_wrong(
    method: str, without: Callable[[list[Cell], str, str], None]
) -> None:
    without(CELLS, NAME, method)


def test_every_wrapped_method_is_proved(judged: Callable[[Cell], Any]) -> None:
    judged(CELLS[0])
    assert not unproved(NAME)


def test_tracing_it_for_a_block_leaves_no_thread() -> None:
    before = {*threading.enumerate()}
    with llama_index_traced(TracerProvider()):
        assert {*threading.enumerate()} - before
    deadline = time.monotonic() + PATIENCE
    while {*threading.enumerate()} - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not {*threading.enumerate()} - before
