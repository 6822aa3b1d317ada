"""Each repair of LlamaIndex's calls is needed: taken away, a cell of the table does not hold."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from llama_index.core import SummaryIndex
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine import CondensePlusContextChatEngine
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.program import FunctionCallingProgram, LLMTextCompletionProgram
from llama_index.core.prompts import PromptTemplate
from llama_index.llms.openai_like import OpenAILike
from openinference.instrumentation.llama_index import _handler

from conformance.harness import wrong
from conformance.llama_index_repairs import BY_NAME, cell, take_away
from shapes.either import each, settle
from shapes.llama_index_application import (
    OPENINFERENCE,
    QUESTION,
    WARNINGS,
    LlamaIndexApplication,
)
from shapes.llama_index_shape import DOCUMENTS, Weather, template
from shapes.shape import OTHER, OWN, Shape
from tracesplice import _current

if TYPE_CHECKING:
    from conformance.harness import Stage

pytestmark = [pytest.mark.usefixtures("_sdk_untraced"), *WARNINGS]


@pytest.fixture
def _no_span_current(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenInference as it was before release 4.6.1."""
    if hasattr(_handler._Span, "attach_context"):
        monkeypatch.setattr(_handler._Span, "attach_context", lambda _: None)


@pytest.mark.usefixtures("_no_span_current")
@pytest.mark.parametrize("repaired", [True, False])
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    "shape",
    [
        "OpenAILike.chat",
        "OpenAILike.stream_chat",
        "OpenAILike(is_chat_model=False).complete",
        "OpenAILike(is_chat_model=False).stream_complete",
    ],
)
def test_an_openinference_that_makes_no_span_current(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, shape: str, kind: str, repaired: bool
) -> None:
    if not repaired:
        monkeypatch.setattr(_current, "_finds", {})
    assert wrong(stage, cell(BY_NAME[shape], kind, OPENINFERENCE)) == (set() if repaired else {"b"})


@pytest.mark.usefixtures("_no_span_current")
@pytest.mark.parametrize("repaired", [True, False])
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("ask", ["query", "text", "batch"])
def test_its_embeddings_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, ask: str, kind: str, repaired: bool
) -> None:
    if not repaired:
        monkeypatch.setattr(_current, "_finds", {})
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
        (OpenAILike, "stream_chat", "OpenAILike.stream_chat", "sync", {"b"}),
        (OpenAILike, "astream_chat", "OpenAILike.stream_chat", "async", {"b"}),
        (
            OpenAILike,
            "stream_complete",
            "OpenAILike(is_chat_model=False).stream_complete",
            "sync",
            {"b"},
        ),
        (
            OpenAILike,
            "astream_complete",
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
    ],
)
def test_without_the_repaired_method(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    method: str,
    shape: str,
    kind: str,
    broken: set[str],
) -> None:
    take_away(monkeypatch, owner, method)
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
    stage: Stage, monkeypatch: pytest.MonkeyPatch, program: Any, method: str, repaired: bool
) -> None:
    if not repaired:
        take_away(monkeypatch, PromptTemplate, "format_messages")
        take_away(monkeypatch, PromptTemplate, "format")
    shape = Shape("program", lambda app, _: _program(app, program, method), prompts=(OWN,))
    kind = "async" if method.startswith("a") else "sync"
    assert wrong(stage, cell(shape, kind, OPENINFERENCE)) == (set() if repaired else {"c"})


async def _condense(app: LlamaIndexApplication) -> Any:
    history = [ChatMessage(content="Hi"), ChatMessage(role="assistant", content="Ho")]
    engine = CondensePlusContextChatEngine.from_defaults(
        SummaryIndex.from_documents(DOCUMENTS).as_retriever(),
        llm=app.model(),
        memory=ChatMemoryBuffer.from_defaults(history, token_limit=1000),
        condense_prompt=template(app, "{question}"),
        context_prompt=template(app, "{context_str}", OTHER),
    )
    return str(await app.call(engine, "chat", QUESTION))


@pytest.mark.parametrize("repaired", [True, False])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_chat_engine_links_the_templates_it_formats_itself(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: str, repaired: bool
) -> None:
    if not repaired:
        take_away(monkeypatch, PromptTemplate, "__init__")
        take_away(monkeypatch, PromptTemplate, "format")
    shape = Shape(
        "condense",
        lambda app, _: _condense(app),
        generations=2,
        observations=2,
        prompts=(OWN, OTHER),
    )
    assert wrong(stage, cell(shape, kind, OPENINFERENCE)) == (set() if repaired else {"c"})
