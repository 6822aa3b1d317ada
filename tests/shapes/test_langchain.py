"""Every way LangChain calls a model, with and without a span, by every tracer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.runnables import RunnableLambda

from conformance.harness import UNTRACED, Cell, run_cell
from shapes.langchain_application import HANDLER, OPENINFERENCE, LangChainApplication
from shapes.langchain_shapes import SHAPES
from shapes.litellm_clients import WARNINGS as LITELLM
from shapes.litellm_clients import cleared_away
from shapes.repairs import TABLE, unproved
from shapes.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shapes.wire import WireStage

NAME = LangChainApplication.name
PACKAGES = ("langchain-openai", "langchain", "langgraph", "openai", "langfuse")
CELLS = [
    Cell(LangChainApplication, shape, kind, None, enclosed, tracer)
    for shape in SHAPES
    for tracer in (HANDLER, OPENINFERENCE, UNTRACED)
    for kind in shape.kinds
    for enclosed in (True, False)
    if not (enclosed and shape.opens_span)
]

NO_CONTEXT = "no context for tasks before Python 3.11"


@pytest.fixture(scope="module", autouse=True)
def _clear_away() -> Iterator[None]:
    with cleared_away():
        yield


def _marked(cell: Cell) -> Any:
    return pytest.param(cell, marks=LITELLM if "LiteLLM" in cell.shape.name else (), id=str(cell))


@pytest.mark.usefixtures("_tracer")
# LangChain's own, on a streamed answer with a schema.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
@pytest.mark.parametrize("cell", [_marked(each) for each in CELLS])
def test_call(cell: Cell, check: Callable[[Cell], Any]) -> None:
    check(cell)


async def _search(app: LangChainApplication) -> Any:
    embeddings = app.embeddings()
    chain = RunnableLambda(embeddings.embed_query, afunc=embeddings.aembed_query)
    return await app.call(chain, "invoke", "question-1", app.config())


@pytest.mark.skipif(sys.version_info < (3, 11), reason=NO_CONTEXT)
@pytest.mark.parametrize(("kind", "tracer"), [("async", HANDLER), ("sync", OPENINFERENCE)])
def test_what_has_no_run_belongs_to_the_chain_it_is_made_in(
    stage: WireStage, kind: str, tracer: str
) -> None:
    shape = Shape("search", _search)
    run_cell(
        stage, Cell(LangChainApplication, shape, kind, None, enclosed=False, tracer=tracer), None
    )
    [request] = stage.reported()
    chains = {each.id for each in stage.observations() if each.type == "CHAIN"}
    assert chains == {request.parent_id}


@pytest.mark.parametrize("method", [name for framework, name in TABLE if framework == NAME])
def test_without_a_wrapped_method_a_call_is_wrong(
    method: str, without: Callable[[list[Cell], str, str], None]
) -> None:
    if method == "agenerate" and sys.version_info < (3, 11):
        pytest.skip(NO_CONTEXT)  # the call is as good, or bad, without it
    without(CELLS, NAME, method)


def test_every_wrapped_method_is_proved(judged: Callable[[Cell], Any]) -> None:
    judged(CELLS[0])
    assert not unproved(NAME)
