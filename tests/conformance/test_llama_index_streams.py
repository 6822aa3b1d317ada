"""A stream of LlamaIndex's belongs where it was asked for, wherever it is read."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.llms.openai_like import OpenAILike

from conformance.harness import UNTRACED, gateway_generations, run_cell, wrong
from conformance.llama_index_repairs import BY_NAME, cell, take_away
from shapes.either import each
from shapes.llama_index_application import OPENINFERENCE, QUESTION, WARNINGS
from shapes.llama_index_shape import Weather, template
from shapes.shape import Shape
from tracesplice_llama_index import _stream_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.harness import Stage
    from rig.recorder import Observation
    from shapes.llama_index_application import LlamaIndexApplication

pytestmark = [pytest.mark.usefixtures("_sdk_untraced"), *WARNINGS]


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
        (_chat, OpenAILike, "stream_complete"),
        (_stream, OpenAILike, "stream_chat"),
        (_structured, OpenAILike, "stream_structured_predict"),
        (_structured_llm, StructuredLLM, "stream_chat"),
    ],
)
def test_a_stream_belongs_where_it_was_asked_for(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[Any], Any],
    owner: type,
    method: str,
    kind: str,
    tracer: str,
    repaired: bool,
) -> None:
    if not repaired:
        take_away(monkeypatch, owner, f"{'a' * (kind == 'async')}{method}")
    shape = Shape("read later", lambda app, _: _read_later(app, ask))
    run_cell(stage, cell(shape, kind, tracer, enclosed=False), None)
    assert len(_asked_where(stage)[1]) == (1 if repaired else 0)


def test_a_kept_context_would_change_with_openinferences_stand_in(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_stream_context, "_lasting", lambda span: span)
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
