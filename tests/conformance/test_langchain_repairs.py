"""Each repair of LangChain's context is needed: taken away, a cell of the table does not hold."""

from __future__ import annotations

import sys
from inspect import getattr_static, unwrap
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI

from conformance.harness import UNTRACED, Cell, Stage, gateway_generations, run_cell, wrong
from rig.gateway import GatewayMode
from shapes.either import each
from shapes.langchain_application import HANDLER, OPENINFERENCE, LangChainApplication
from shapes.langchain_shapes import SHAPES
from shapes.shape import Shape
from tracesplice._current import _finds
from tracesplice_langchain import _current, _plugin, _streams
from tracesplice_langchain._runs import observation_at_work

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("_sdk_untraced")

NEEDS_CONTEXT = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="no context for tasks before Python 3.11"
)
FALLBACKS = "with_fallbacks after a failure"
TWO = "ChatOpenAI.generate, two inputs"
TWO_STREAMED = "ChatOpenAI(streaming=True).generate, two inputs"
BY_NAME = {shape.name: shape for shape in SHAPES}


def cell(shape: Shape, kind: str, tracer: str, *, enclosed: bool = True) -> Cell:
    return Cell(LangChainApplication, shape, kind, GatewayMode.LANGFUSE, enclosed, tracer)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Gives LangChain's base class of models, or ChatOpenAI, its own method back."""
    _plugin.tracesplice_prepare()

    def remove(name: str) -> None:
        model = ChatOpenAI if name in ("_stream", "_astream") else BaseChatModel
        for owner in model.__mro__:
            if name in vars(owner):
                monkeypatch.setattr(owner, name, unwrap(getattr_static(owner, name)))

    return remove


@pytest.mark.parametrize(
    ("method", "shape", "kind", "tracer", "enclosed", "broken"),
    [
        # asynchronous calls, in which Langfuse's handler runs in a thread
        ("_agenerate_with_cache", "chain", "async", HANDLER, True, {"b", "c"}),
        ("_agenerate_with_cache", "chain", "async", HANDLER, False, {"b", "c"}),
        ("_astream", "ChatOpenAI.stream", "async", HANDLER, True, {"b"}),
        ("_astream", "chain, stream", "async", HANDLER, False, {"b", "c"}),
        ("_astream", "ChatOpenAI.astream_events", "async", HANDLER, False, {"a", "b"}),
        # several runs that start before the first request
        ("_generate_with_cache", TWO, "sync", HANDLER, True, {"b"}),
        ("_generate_with_cache", TWO_STREAMED, "sync", HANDLER, True, {"b"}),
        # handlers that make nothing current
        ("_generate_with_cache", "ChatOpenAI.invoke", "sync", OPENINFERENCE, True, {"b"}),
        ("_stream", "ChatOpenAI.stream", "sync", OPENINFERENCE, True, {"b"}),
        # with_fallbacks, which does not pass its run on
        pytest.param("agenerate", FALLBACKS, "async", HANDLER, False, {"a"}, marks=NEEDS_CONTEXT),
        pytest.param(
            "generate", FALLBACKS, "sync", OPENINFERENCE, False, {"a"}, marks=NEEDS_CONTEXT
        ),
    ],
)
def test_without_the_repaired_method(
    stage: Stage,
    without: Callable[[str], None],
    method: str,
    shape: str,
    kind: str,
    tracer: str,
    enclosed: bool,
    broken: set[str],
) -> None:
    without(method)
    assert wrong(stage, cell(BY_NAME[shape], kind, tracer, enclosed=enclosed)) == broken


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_streams_do_not_say_which_run_they_are_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(_streams, "take_run", lambda: None)
    tracer = OPENINFERENCE if kind == "sync" else HANDLER
    assert wrong(stage, cell(BY_NAME["ChatOpenAI.stream"], kind, tracer)) == {"b"}


def test_the_metadata_of_a_model_links_no_prompt_by_itself(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_current, "_attributes", lambda *_: {})
    tried = cell(BY_NAME["prompt in the config of a model"], "sync", HANDLER)
    assert wrong(stage, tried) == {"c"}


def test_the_metadata_of_a_chain_gets_lost_in_asynchronous_calls(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_current, "_attributes", lambda *_: {})
    tried = cell(BY_NAME["user, session and tags in the metadata"], "async", HANDLER)
    assert wrong(stage, tried) == {"d"}


async def _search(app: LangChainApplication) -> Any:
    embeddings = app.embeddings()
    chain = RunnableLambda(embeddings.embed_query, afunc=embeddings.aembed_query)
    return await app.call(chain, "invoke", "question-1", app.config())


@NEEDS_CONTEXT
@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(("kind", "tracer"), [("async", HANDLER), ("sync", OPENINFERENCE)])
def test_what_has_no_run_belongs_to_the_chain_it_is_made_in(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: str, tracer: str, told: bool
) -> None:
    _plugin.tracesplice_prepare()
    if not told:
        monkeypatch.delitem(_finds, observation_at_work)
    run_cell(stage, cell(Shape("search", _search), kind, tracer, enclosed=False), None)
    [generation] = gateway_generations(stage)
    chains = {each.id for each in stage.observations() if each.type == "CHAIN"}
    assert len(chains) == 1
    assert (generation.parent_id in chains) == told


async def _read_later(app: LangChainApplication) -> Any:
    model = app.model()
    method = model.astream if app.is_async else model.stream
    with app.span("asked here"):
        chunks = method("question-1", app.config())
    return [chunk async for chunk in each(chunks)]


@pytest.mark.parametrize("repaired", [True, False])
@pytest.mark.parametrize("tracer", [HANDLER, OPENINFERENCE, UNTRACED])
@pytest.mark.parametrize(("method", "kind"), [("stream", "sync"), ("astream", "async")])
def test_a_stream_belongs_where_it_was_asked_for(
    stage: Stage,
    without: Callable[[str], None],
    method: str,
    kind: str,
    tracer: str,
    repaired: bool,
) -> None:
    if not repaired:
        without(method)
    run_cell(stage, cell(Shape("read later", _read_later), kind, tracer, enclosed=False), None)
    by_id = {each.id: each for each in stage.observations()}
    [asked] = [each for each in by_id.values() if each.name == "asked here"]
    [generation] = gateway_generations(stage)
    owner = by_id.get(generation.parent_id or "")
    if tracer == UNTRACED:
        assert (owner is asked) == repaired
    else:
        assert owner is not None
        assert owner.name == "ChatOpenAI"
        assert (owner.parent_id == asked.id) == repaired
