"""LlamaIndex calls on the wire: whose they are, what they carry, and what is left behind."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langfuse import propagate_attributes
from opentelemetry import trace

import tracesplice
from faults.llama_index_calls import KINDS, PROMPT, call, parents, prompts, template
from faults.wire import carries_nothing, links

pytest.importorskip("llama_index.core", reason="LlamaIndex does not run on openai 3")
from llama_index.core import Settings
from llama_index.core.prompts import PromptTemplate, SelectorPromptTemplate

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse import Langfuse

    from tracesplice_testing.model import ModelServer


def current() -> int:
    return trace.get_current_span().get_span_context().span_id


def test_a_stream_read_in_part_or_not_at_all_leaves_nothing_current(
    wire: ModelServer, langfuse: Langfuse, llama_index: Any
) -> None:
    with langfuse.start_as_current_observation(name="asked") as span:
        never, partly = llama_index.stream_complete("one"), llama_index.stream_complete("two")
    next(partly)
    assert not current()
    partly.close()
    del never, partly
    gc.collect()
    assert not current()
    assert parents(wire) == [span.id]


def test_streams_read_in_turns_keep_apart(
    wire: ModelServer, langfuse: Langfuse, llama_index: Any
) -> None:
    asked, streams = [], []
    for name in ("one", "two"):
        with langfuse.start_as_current_observation(name=name) as span:
            asked.append(span.id)
            streams.append(llama_index.stream_complete(name))
    with langfuse.start_as_current_observation(name="third") as span:
        for stream in streams:
            next(stream)
            assert current() == int(span.id, 16)
    for stream in streams:
        list(stream)
    assert parents(wire) == asked


def test_a_stream_of_another_task_belongs_where_it_was_asked_for(
    wire: ModelServer, langfuse: Langfuse, make_llama_index: Callable[..., Any]
) -> None:
    async def read(stream: Any) -> None:
        async for _ in stream:
            pass

    async def both() -> str:
        async with openai.DefaultAsyncHttpxClient() as http_client:
            model = tracesplice.splice(make_llama_index(async_http_client=http_client))
            with langfuse.start_as_current_observation(name="asked") as span:
                stream = await model.astream_complete("hi")
            with langfuse.start_as_current_observation(name="other"):
                await asyncio.create_task(read(stream))
            return str(span.id)

    asked = asyncio.run(both())
    assert parents(wire) == [asked]


def test_asked_for_with_nothing_current_it_belongs_where_it_is_read(
    wire: ModelServer, langfuse: Langfuse, llama_index: Any
) -> None:
    stream = llama_index.stream_complete("hi")
    with langfuse.start_as_current_observation(name="read") as span:
        list(stream)
    assert parents(wire) == [span.id]


def test_a_stream_takes_user_and_prompt_of_the_moment_it_was_asked_for(
    wire: ModelServer, llama_index: Any
) -> None:
    with propagate_attributes(user_id="ada", prompt=PROMPT):
        stream = llama_index.stream_complete("hi")
    with propagate_attributes(user_id="eve"):
        list(stream)
    [(_, sent, _)] = links(wire)
    assert sent["trace_user_id"] == "ada"
    assert sent["prompt"] == {**PROMPT, "prompt": ""}


def test_a_template_does_not_change_the_prompt_of_a_generation_around_it(
    wire: ModelServer, langfuse: Langfuse, llama_index: Any
) -> None:
    with langfuse.start_as_current_observation(name="own", as_type="generation") as around:
        llama_index.predict(template())
        span: Any = around._otel_span
        attributes = span.attributes
    assert "langfuse.observation.prompt.name" not in attributes
    assert prompts(wire) == ["own"]


@pytest.mark.parametrize(
    ("given", "prompt"),
    [
        (SelectorPromptTemplate(PromptTemplate("other"), [(lambda _: True, template())]), "own"),
        (SelectorPromptTemplate(template(), [(lambda _: True, PromptTemplate("hi"))]), None),
        *((template(wrong), None) for wrong in ({"name": "p"}, "p", 7)),
        (template({"name": "p", "version": "three"}), None),
    ],
)
def test_a_prediction_is_linked_to_the_prompt_of_the_template_if_there_is_one(
    wire: ModelServer, llama_index: Any, given: Any, prompt: str | None
) -> None:
    assert llama_index.predict(given) == "echo: hi"
    assert prompts(wire) == [prompt]


def test_the_template_of_a_model_that_is_not_spliced_links_nothing(
    wire: ModelServer, make_llama_index: Callable[..., Any]
) -> None:
    tracesplice.splice(make_llama_index())
    make_llama_index().predict(template())
    assert carries_nothing(wire)


@pytest.mark.usefixtures("_uninstrument")
@KINDS
def test_instrument_reaches_models_that_are_not_spliced(
    wire: ModelServer, langfuse: Langfuse, make_llama_index: Callable[..., Any], kind: str
) -> None:
    tracesplice.instrument(gateway=wire.url)
    with langfuse.start_as_current_observation(name="enclosing") as span:
        call(make_llama_index(), kind)
    assert parents(wire) == [span.id]


@pytest.mark.usefixtures("_uninstrument")
def test_instrument_reaches_what_is_assigned_to_settings_later(
    wire: ModelServer,
    langfuse: Langfuse,
    make_llama_index: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tracesplice.instrument(gateway=wire.url)
    monkeypatch.setattr(Settings, "_llm", None)
    Settings.llm = make_llama_index()
    with langfuse.start_as_current_observation(name="asked") as span:
        stream = Settings.llm.stream(template())
    list(stream)
    assert parents(wire) == [span.id]
    assert prompts(wire) == ["own"]


@KINDS
def test_after_uninstrument_and_unsplice_nothing_is_left(
    wire: ModelServer, langfuse: Langfuse, make_llama_index: Callable[..., Any], kind: str
) -> None:
    tracesplice.instrument(gateway=wire.url)
    tracesplice.uninstrument()
    with langfuse.start_as_current_observation(name="enclosing"):
        call(make_llama_index(), kind)
        call(tracesplice.unsplice(tracesplice.splice(make_llama_index())), kind)
    assert carries_nothing(wire)
