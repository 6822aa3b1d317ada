"""LangChain calls on the wire: whose they are, and what they carry."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langfuse import propagate_attributes
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import tracesplice
from faults.langchain_calls import KINDS, Watch, call, model_of, parents
from faults.wire import carries_nothing, links

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse import Langfuse
    from langfuse.langchain import CallbackHandler

    from rig.model import ModelServer


@KINDS
def test_of_several_handlers_the_first_has_the_call(
    wire: ModelServer, make_handler: Callable[[], CallbackHandler], kind: str
) -> None:
    first, second = make_handler(), make_handler()
    watch = Watch(first)
    call(wire, kind, [watch, first, second])
    assert watch.id is not None
    assert parents(wire) == [watch.id]


@KINDS
def test_langfuses_handler_comes_before_an_instrumentor(
    wire: ModelServer, make_handler: Callable[[], CallbackHandler], kind: str
) -> None:
    handler = make_handler()
    watch = Watch(handler)
    LangChainInstrumentor().instrument(tracer_provider=TracerProvider())
    try:
        call(wire, kind, [watch, handler])
    finally:
        LangChainInstrumentor().uninstrument()
    assert watch.id is not None
    assert parents(wire) == [watch.id]


@KINDS
def test_a_handler_that_knows_nothing_changes_nothing(
    wire: ModelServer, langfuse: Langfuse, kind: str
) -> None:
    with langfuse.start_as_current_observation(name="enclosing") as span:
        call(wire, kind, [BaseCallbackHandler()])
    assert parents(wire) == [span.id]


@pytest.mark.parametrize("kind", ["ainvoke", "astream"])
def test_the_callers_context_is_what_it_was(
    wire: ModelServer, make_handler: Callable[[], CallbackHandler], kind: str
) -> None:
    async def watched() -> None:
        config = {"callbacks": [make_handler()], "metadata": {"langfuse_user_id": "ada"}}
        async with openai.DefaultAsyncHttpxClient() as http_client:
            model = tracesplice.splice(model_of(wire, http_async_client=http_client))
            if kind == "ainvoke":
                await model.ainvoke("hi", config)
            else:
                async for _ in model.astream("hi", config):
                    assert not trace.get_current_span().get_span_context().is_valid
        assert otel_context.get_current() == {}

    Context().run(asyncio.run, watched())


def test_what_a_stream_left_behind_is_no_parent_of_the_next_call(
    wire: ModelServer, langfuse: Langfuse, make_handler: Callable[[], CallbackHandler]
) -> None:
    async def leave_and_go_on() -> None:
        async with openai.DefaultAsyncHttpxClient() as http_client:
            model = tracesplice.splice(model_of(wire, http_async_client=http_client))
            with langfuse.start_as_current_observation(name="first"):
                stream = model.astream("hi", {"callbacks": [make_handler()]})
                await anext(stream)
            with langfuse.start_as_current_observation(name="second") as span:
                await model.ainvoke("hi")
                async for _ in model._astream([HumanMessage("hi")]):
                    pass
            assert parents(wire)[1:] == [span.id, span.id]
            await stream.aclose()

    asyncio.run(leave_and_go_on())


def test_a_thread_needs_the_context_of_its_caller(wire: ModelServer, langfuse: Langfuse) -> None:
    with (
        ThreadPoolExecutor(1) as pool,
        langfuse.start_as_current_observation(name="enclosing") as span,
    ):
        pool.submit(call, wire).result()
        pool.submit(copy_context().run, call, wire).result()
        inside: RunnableLambda[int, None] = RunnableLambda(lambda _: call(wire))
        inside.batch([1])
    assert parents(wire) == [None, span.id, span.id]


def test_the_users_own_options_arrive_with_the_link(wire: ModelServer, langfuse: Langfuse) -> None:
    options: dict[str, Any] = {
        "model_kwargs": {"user": "bob"},
        "default_headers": {"x-team": "blue"},
        "extra_body": {"top_k": 3, "litellm_metadata": {"trace_user_id": "eve"}},
    }
    with (
        langfuse.start_as_current_observation(name="enclosing") as span,
        propagate_attributes(user_id="ada", session_id="s-1"),
    ):
        call(wire, **options)
    [request] = wire.calls
    body: Any = request.json
    assert request.headers["x-team"] == "blue"
    assert (body["user"], body["top_k"]) == ("bob", 3)
    metadata = body["litellm_metadata"]
    assert metadata["trace_user_id"] == "eve"
    assert metadata["session_id"] == "s-1"
    assert metadata["parent_observation_id"] == span.id


def test_the_metadata_of_a_call_is_nearer_than_what_is_ambient(
    wire: ModelServer, make_handler: Callable[[], CallbackHandler]
) -> None:
    prompt = {"name": "own", "version": 3}
    metadata = {
        "langfuse_user_id": "eve",
        "langfuse_session_id": 7,  # no text: Langfuse's handler leaves it out too
        "langfuse_tags": ["beta"],
        "langfuse_prompt": prompt,
    }
    with propagate_attributes(
        user_id="ada", session_id="s-1", tags=["a"], prompt={"name": "ambient", "version": 1}
    ):
        call(wire, "ainvoke", [make_handler()], config={"metadata": metadata})
    [(_, sent, _)] = links(wire)
    assert (sent["trace_user_id"], sent["session_id"]) == ("eve", "s-1")
    assert set(sent["tags"]) == {"a", "beta"}
    assert sent["prompt"] == {**prompt, "prompt": ""}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="no context for tasks before Python 3.11")
@pytest.mark.parametrize("kind", ["invoke", "ainvoke"])
def test_langchains_tags_are_trace_tags_as_langfuses_handler_has_them(
    wire: ModelServer, make_handler: Callable[[], CallbackHandler], kind: str
) -> None:
    def build(model: Any) -> Any:
        chain = RunnableLambda(str) | tracesplice.splice(model).with_config(tags=["of the model"])
        return chain.with_config(tags=["of the chain"])

    call(wire, kind, [make_handler()], splice=build)
    [(_, sent, _)] = links(wire)
    assert sent["tags"] == ["of the chain"]


@pytest.mark.usefixtures("_uninstrument")
@KINDS
def test_instrument_finds_the_run_of_models_that_are_not_spliced(
    wire: ModelServer, make_handler: Callable[[], CallbackHandler], kind: str
) -> None:
    handler = make_handler()
    watch = Watch(handler)
    tracesplice.instrument(gateway=wire.url)
    call(wire, kind, [watch, handler], splice=lambda model: model)
    assert watch.id is not None
    assert parents(wire) == [watch.id]


@KINDS
def test_after_uninstrument_and_unsplice_nothing_is_left(
    wire: ModelServer, langfuse: Langfuse, make_handler: Callable[[], CallbackHandler], kind: str
) -> None:
    tracesplice.instrument(gateway=wire.url)
    tracesplice.uninstrument()
    with langfuse.start_as_current_observation(name="enclosing"):
        call(wire, kind, [make_handler()], splice=lambda m: tracesplice.unsplice(m))
        call(
            wire,
            kind,
            [make_handler()],
            splice=lambda model: tracesplice.unsplice(tracesplice.splice(model)),
        )
    assert carries_nothing(wire)
