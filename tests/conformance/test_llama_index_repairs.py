"""Each repair of LlamaIndex's calls is needed: taken away, a cell of the table does not hold."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.program import FunctionCallingProgram, LLMTextCompletionProgram
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike
from openinference.instrumentation.llama_index import _handler

from conformance.either import each, settle
from conformance.harness import UNTRACED, Cell, Stage, gateway_generations, run_cell
from conformance.llama_index_application import (
    OPENINFERENCE,
    QUESTION,
    WARNINGS,
    LlamaIndexApplication,
)
from conformance.llama_index_shape import Weather, template
from conformance.llama_index_shapes import SHAPES
from conformance.shape import OWN, Shape
from rig.gateway import GatewayMode
from tracesplice_llama_index import _asked, _repair

if TYPE_CHECKING:
    from collections.abc import Callable

    from rig.recorder import Observation

    Remove = Callable[[type, str], None]

pytestmark = [pytest.mark.usefixtures("_sdk_untraced"), *WARNINGS]

BY_NAME = {shape.name: shape for shape in SHAPES}


def cell(shape: Shape, kind: str, tracer: str, *, enclosed: bool = True) -> Cell:
    return Cell(LlamaIndexApplication, shape, kind, GatewayMode.LANGFUSE, enclosed, tracer)


def wrong(stage: Stage, tried: Cell) -> set[str]:
    """The checks that do not hold, without (e), the answer, and (g), which follows from (b)."""
    checks = run_cell(stage, tried, None).checks
    return {name for name, text in checks.items() if text is not None and name not in "eg"}


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Remove:
    """Gives a class and its bases their own method back."""

    def remove(owner: type, name: str) -> None:
        _repair.install(OpenAILike)
        _repair.install(OpenAILikeEmbedding)
        for base in owner.__mro__:
            method = vars(base).get(name)
            if isinstance(method, _repair._Repaired):
                monkeypatch.setattr(base, name, method.__wrapped__)
        monkeypatch.setattr(_repair, "install", lambda _: None)

    return remove


@pytest.fixture
def _no_span_current(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenInference as it was before release 4.6.1."""
    if hasattr(_handler._Span, "attach_context"):
        monkeypatch.setattr(_handler._Span, "attach_context", lambda _: None)


@pytest.mark.usefixtures("_no_span_current")
@pytest.mark.parametrize("repaired", [True, False])
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    ("method", "shape"),
    [
        ("_chat", "OpenAILike.chat"),
        ("_stream_chat", "OpenAILike.stream_chat"),
        ("_complete", "OpenAILike(is_chat_model=False).complete"),
        ("_stream_complete", "OpenAILike(is_chat_model=False).stream_complete"),
    ],
)
def test_an_openinference_that_makes_no_span_current(
    stage: Stage, without: Remove, method: str, shape: str, kind: str, repaired: bool
) -> None:
    if not repaired:
        without(OpenAILike, method if kind == "sync" else f"_a{method[1:]}")
    assert wrong(stage, cell(BY_NAME[shape], kind, OPENINFERENCE)) == (set() if repaired else {"b"})


@pytest.mark.usefixtures("_no_span_current")
@pytest.mark.parametrize("repaired", [True, False])
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    ("method", "ask"),
    [
        ("get_query_embedding", "query"),
        ("get_text_embedding", "text"),
        ("get_text_embeddings", "batch"),
    ],
)
def test_its_embeddings_too(
    stage: Stage, without: Remove, method: str, ask: str, kind: str, repaired: bool
) -> None:
    if not repaired:
        without(OpenAILikeEmbedding, f"_{'a' * (kind == 'async')}{method}")
    shape = Shape("embeddings", lambda app, _: _embed(app, ask))
    assert wrong(stage, cell(shape, kind, OPENINFERENCE)) == (set() if repaired else {"b"})


async def _embed(app: LlamaIndexApplication, ask: str) -> Any:
    model, given = app.embeddings(), [QUESTION] if ask == "batch" else QUESTION
    names = {"query": "query_embedding", "text": "text_embedding", "batch": "text_embedding_batch"}
    return await settle(getattr(model, f"{'a' * app.is_async}get_{names[ask]}")(given))


@pytest.mark.parametrize(
    ("owner", "method", "shape", "kind", "broken"),
    [
        # clients that are made late
        (OpenAILike, "_get_client", "OpenAILike.chat", "sync", {"a", "b", "c", "d"}),
        (OpenAILike, "_get_aclient", "OpenAILike.chat", "async", {"a", "b", "c", "d"}),
        (OpenAILike, "__setstate__", "copies of a spliced model", "sync", {"a", "b", "c", "d"}),
        # streams whose request goes out when LlamaIndex has left the span
        (OpenAILike, "_stream_chat", "OpenAILike.stream_chat", "sync", {"b"}),
        (OpenAILike, "_astream_chat", "OpenAILike.stream_chat", "async", {"b"}),
        (
            OpenAILike,
            "_stream_complete",
            "OpenAILike(is_chat_model=False).stream_complete",
            "sync",
            {"b"},
        ),
        (
            OpenAILike,
            "_astream_complete",
            "OpenAILike(is_chat_model=False).stream_complete",
            "async",
            {"b"},
        ),
        # templates that do not pass on their prompt
        (OpenAILike, "predict", "OpenAILike.predict", "sync", {"c"}),
        (OpenAILike, "apredict", "OpenAILike.predict", "async", {"c"}),
        (OpenAILike, "stream", "OpenAILike.stream", "sync", {"c"}),
        (OpenAILike, "astream", "OpenAILike.stream", "async", {"c"}),
        (
            OpenAILike,
            "structured_predict",
            "OpenAILike.structured_predict, by a schema",
            "sync",
            {"c"},
        ),
        (
            OpenAILike,
            "astructured_predict",
            "OpenAILike.structured_predict, by a schema",
            "async",
            {"c"},
        ),
        (
            OpenAILike,
            "stream_structured_predict",
            "OpenAILike.stream_structured_predict",
            "sync",
            {"c"},
        ),
        (
            OpenAILike,
            "astream_structured_predict",
            "OpenAILike.stream_structured_predict",
            "async",
            {"c"},
        ),
    ],
)
def test_without_the_repaired_method(
    stage: Stage,
    without: Remove,
    owner: type,
    method: str,
    shape: str,
    kind: str,
    broken: set[str],
) -> None:
    without(owner, method)
    assert wrong(stage, cell(BY_NAME[shape], kind, OPENINFERENCE)) == broken


async def _program(app: LlamaIndexApplication, kind: Any, method: str) -> None:
    options = {"prompt": template(app), "output_cls": Weather, "llm": app.model("tools")}
    program = kind.from_defaults(**options)
    # The text that the rig's model answers is no JSON.
    with suppress(ValueError):
        answer = await settle(getattr(program, method)(what=QUESTION))
        if "stream" in method:
            async for _ in each(answer):
                pass


@pytest.mark.parametrize("repaired", [True, False])
@pytest.mark.parametrize("method", ["__call__", "acall", "stream_call", "astream_call"])
@pytest.mark.parametrize("program", [FunctionCallingProgram, LLMTextCompletionProgram])
def test_a_program_links_its_template(
    stage: Stage, without: Remove, program: Any, method: str, repaired: bool
) -> None:
    if not repaired:
        without(program, method)
    shape = Shape("program", lambda app, _: _program(app, program, method), prompts=(OWN,))
    kind = "async" if method.startswith("a") else "sync"
    assert wrong(stage, cell(shape, kind, OPENINFERENCE)) == (set() if repaired else {"c"})


async def _read_later(app: LlamaIndexApplication, ask: Callable[[Any], Any]) -> Any:
    with app.span("asked here"):
        chunks = await ask(app)
    with app.span("read here"):
        return [chunk async for chunk in each(chunks)]


def _asked_where(stage: Stage) -> tuple[Observation, list[Observation]]:
    """The span a stream was asked for in, and the gateway's generations under it."""
    by_id = {each.id: each for each in stage.observations()}
    [asked] = [each for each in by_id.values() if each.name == "asked here"]
    found = []
    for generation in gateway_generations(stage):
        above = by_id.get(generation.parent_id or "")
        while above is not None and above is not asked:
            above = by_id.get(above.parent_id or "")
        found += [generation] if above is asked else []
    return asked, found


async def _chat(app: LlamaIndexApplication) -> Any:
    return await app.call(app.model(), "stream_complete", QUESTION)


async def _stream(app: LlamaIndexApplication) -> Any:
    return await app.call(app.model(), "stream", template(app), what=QUESTION)


async def _structured(app: LlamaIndexApplication) -> Any:
    model = app.model(should_use_structured_outputs=True)
    return await app.call(model, "stream_structured_predict", Weather, template(app), what=QUESTION)


async def _structured_llm(app: LlamaIndexApplication) -> Any:
    model = app.model(should_use_structured_outputs=True).as_structured_llm(Weather)
    return await app.call(model, "stream_chat", [])


@pytest.mark.parametrize("repaired", [True, False])
@pytest.mark.parametrize("tracer", [OPENINFERENCE, UNTRACED])
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    ("ask", "owner", "method"),
    [
        (_chat, OpenAILike, "_stream_chat"),
        (_stream, OpenAILike, "_stream_chat"),
        (_structured, OpenAILike, "stream_structured_predict"),
        (_structured_llm, StructuredLLM, "stream_chat"),
    ],
)
def test_a_stream_belongs_where_it_was_asked_for(
    stage: Stage,
    without: Remove,
    ask: Callable[[Any], Any],
    owner: type,
    method: str,
    kind: str,
    tracer: str,
    repaired: bool,
) -> None:
    if not repaired:
        private = method.startswith("_")
        name = method.lstrip("_")
        without(owner, f"{'_' * private}{'a' * (kind == 'async')}{name}")
    shape = Shape("read later", lambda app, _: _read_later(app, ask))
    run_cell(stage, cell(shape, kind, tracer, enclosed=False), None)
    assert len(_asked_where(stage)[1]) == (1 if repaired else 0)


def test_a_kept_context_would_change_with_openinferences_stand_in(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_asked, "_lasting", lambda context: context)
    tried = cell(BY_NAME["OpenAILike.stream_chat"], "sync", OPENINFERENCE)
    assert wrong(stage, tried) == {"b"}


async def _in_a_thread(app: LlamaIndexApplication, _: Any) -> Any:
    answers: list[Any] = []
    with app.span("asked here"):
        chunks = app.model().stream_complete(QUESTION)
        thread = threading.Thread(target=lambda: answers.extend(chunks))
        thread.start()
        thread.join()
    return len(answers)


@pytest.mark.parametrize("tracer", [OPENINFERENCE, UNTRACED])
def test_a_stream_that_a_thread_reads(stage: Stage, tracer: str) -> None:
    run_cell(stage, cell(Shape("thread", _in_a_thread), "sync", tracer, enclosed=False), None)
    assert len(_asked_where(stage)[1]) == 1
