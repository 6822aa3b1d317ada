"""LlamaIndex calls on the wire: whose they are, what they carry, and what is left behind."""

from __future__ import annotations

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langfuse import propagate_attributes
from opentelemetry import trace

import tracesplice
from faults.llama_index_calls import KINDS, PROMPT, call, parents
from faults.wire import carries_nothing, links

pytest.importorskip("llama_index.core", reason="LlamaIndex does not run on openai 3")
from llama_index.core import Settings
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import PromptTemplate, SelectorPromptTemplate

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse import Langfuse

    from rig.model import ModelServer


def nothing_is_current() -> bool:
    return not trace.get_current_span().get_span_context().is_valid


def test_a_stream_read_in_part_or_not_at_all_leaves_nothing_current(
    wire: ModelServer, langfuse: Langfuse, make_llama_index: Callable[..., Any]
) -> None:
    model = tracesplice.splice(make_llama_index())
    with langfuse.start_as_current_observation(name="asked") as span:
        never, partly = model.stream_complete("one"), model.stream_complete("two")
    next(partly)
    assert nothing_is_current()
    partly.close()
    del never, partly
    gc.collect()
    assert nothing_is_current()
    assert parents(wire) == [span.id]


def test_streams_read_in_turns_keep_apart(
    wire: ModelServer, langfuse: Langfuse, make_llama_index: Callable[..., Any]
) -> None:
    model = tracesplice.splice(make_llama_index())
    asked, streams = [], []
    for name in ("one", "two"):
        with langfuse.start_as_current_observation(name=name) as span:
            asked.append(span.id)
            streams.append(model.stream_complete(name))
    with langfuse.start_as_current_observation(name="third") as span:
        for stream in streams:
            next(stream)
            assert trace.get_current_span().get_span_context().span_id == int(span.id, 16)
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
    wire: ModelServer, langfuse: Langfuse, make_llama_index: Callable[..., Any]
) -> None:
    stream = tracesplice.splice(make_llama_index()).stream_complete("hi")
    with langfuse.start_as_current_observation(name="read") as span:
        list(stream)
    assert parents(wire) == [span.id]


def test_a_stream_takes_user_and_prompt_of_the_moment_it_was_asked_for(
    wire: ModelServer, make_llama_index: Callable[..., Any]
) -> None:
    with propagate_attributes(user_id="ada", prompt=PROMPT):
        stream = tracesplice.splice(make_llama_index()).stream_complete("hi")
    with propagate_attributes(user_id="eve"):
        list(stream)
    [(_, sent, _)] = links(wire)
    assert sent["trace_user_id"] == "ada"
    assert sent["prompt"] == {**PROMPT, "prompt": ""}


def test_a_thread_needs_the_context_of_its_caller(
    wire: ModelServer, langfuse: Langfuse, make_llama_index: Callable[..., Any]
) -> None:
    model = tracesplice.splice(make_llama_index())
    with (
        ThreadPoolExecutor(1) as pool,
        langfuse.start_as_current_observation(name="enclosing") as span,
    ):
        pool.submit(model.complete, "hi").result()
        pool.submit(copy_context().run, model.complete, "hi").result()
    assert parents(wire) == [None, span.id]


def test_the_users_own_options_arrive_with_the_link(
    wire: ModelServer, langfuse: Langfuse, make_llama_index: Callable[..., Any]
) -> None:
    own = {"user": "bob", "extra_body": {"top_k": 3, "litellm_metadata": {"trace_user_id": "eve"}}}
    model = tracesplice.splice(
        make_llama_index(additional_kwargs=own, default_headers={"x-team": "blue"})
    )
    with (
        langfuse.start_as_current_observation(name="enclosing") as span,
        propagate_attributes(user_id="ada", session_id="s-1"),
    ):
        # What is the model's own goes before what is the call's.
        model.chat([ChatMessage(content="hi")], extra_body={"seed": 1}, user="call")
    [request] = wire.calls
    body: Any = request.json
    assert request.headers["x-team"] == "blue"
    assert (body["user"], body["top_k"]) == ("bob", 3)
    metadata = body["litellm_metadata"]
    assert (metadata["trace_user_id"], metadata["session_id"]) == ("eve", "s-1")
    assert metadata["parent_observation_id"] == span.id
    assert own["extra_body"] == {"top_k": 3, "litellm_metadata": {"trace_user_id": "eve"}}


def test_a_template_does_not_change_the_prompt_of_a_generation_around_it(
    wire: ModelServer, langfuse: Langfuse, make_llama_index: Callable[..., Any]
) -> None:
    model = tracesplice.splice(make_llama_index())
    template = PromptTemplate("hi", metadata={"langfuse_prompt": PROMPT})
    with langfuse.start_as_current_observation(name="own", as_type="generation") as around:
        model.predict(template)
        span: Any = around._otel_span
        attributes = span.attributes
    assert "langfuse.observation.prompt.name" not in attributes
    [(_, sent, _)] = links(wire)
    assert sent["prompt"]["name"] == "own"


def test_a_selector_links_the_template_it_selects(
    wire: ModelServer, make_llama_index: Callable[..., Any]
) -> None:
    chosen = PromptTemplate("hi", metadata={"langfuse_prompt": PROMPT})
    selector = SelectorPromptTemplate(PromptTemplate("other"), [(lambda _: True, chosen)])
    tracesplice.splice(make_llama_index()).predict(selector)
    [(_, sent, _)] = links(wire)
    assert sent["prompt"]["name"] == "own"


@pytest.mark.parametrize("wrong", [{"name": "p"}, {"version": "three", "name": "p"}, "p", 7])
def test_a_template_with_a_wrong_prompt_is_called_all_the_same(
    wire: ModelServer, make_llama_index: Callable[..., Any], wrong: Any
) -> None:
    template = PromptTemplate("hi", metadata={"langfuse_prompt": wrong})
    assert tracesplice.splice(make_llama_index()).predict(template) == "echo: hi"
    [(_, sent, _)] = links(wire)
    assert "prompt" not in sent


def test_the_template_of_a_model_that_is_not_spliced_links_nothing(
    wire: ModelServer, make_llama_index: Callable[..., Any]
) -> None:
    tracesplice.splice(make_llama_index())
    make_llama_index().predict(PromptTemplate("hi", metadata={"langfuse_prompt": PROMPT}))
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
        stream = Settings.llm.stream(PromptTemplate("hi", metadata={"langfuse_prompt": PROMPT}))
    list(stream)
    [(_, sent, _)] = links(wire)
    assert sent["parent_observation_id"] == span.id
    assert sent["prompt"]["name"] == "own"


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
