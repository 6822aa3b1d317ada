"""LangChain calls on the wire: whose they are when things are not as usual."""

from __future__ import annotations

import asyncio
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from inspect import unwrap
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from langfuse import propagate_attributes
from langfuse.langchain import CallbackHandler
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from pydantic import SecretStr

import tracesplice
from faults.wire import carries_nothing, links
from tracesplice_langchain import _current, _handlers, _repair

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse import Langfuse

    from rig.model import ModelServer

KINDS = pytest.mark.parametrize("kind", ["invoke", "ainvoke", "stream", "astream"])


class Watch(BaseCallbackHandler):
    """Remembers the observation that Langfuse's handler has for the run of a model."""

    def __init__(self, handler: CallbackHandler) -> None:
        self.handler = handler
        self.run_inline = True  # before any other
        self.id: str | None = None

    def on_llm_end(self, *_: Any, run_id: Any, **__: Any) -> None:
        self.id = self.handler._runs[run_id].id


@pytest.fixture
def make_handler(make_langfuse: Callable[[str], Langfuse]) -> Callable[[], CallbackHandler]:
    def make() -> CallbackHandler:
        key = f"pk-{secrets.token_hex(8)}"
        make_langfuse(key)
        return CallbackHandler(public_key=key)

    return make


def model_of(wire: ModelServer, make: type[ChatOpenAI] = ChatOpenAI, **options: Any) -> Any:
    defaults = {"max_retries": 0, "model": "gpt-4o-mini"}
    url = f"{wire.url}/v1"
    return make(base_url=url, api_key=SecretStr("sk-any"), **{**defaults, **options})


def call(
    wire: ModelServer,
    kind: str = "invoke",
    callbacks: Any = (),
    splice: Callable[[Any], Any] = tracesplice.splice,
    config: dict[str, Any] | None = None,
    **options: Any,
) -> None:
    """Call a model in one of four ways."""
    given = {"callbacks": list(callbacks), **(config or {})}
    if kind.startswith("a"):
        asyncio.run(_acall(wire, kind, given, splice, options))
        return
    with openai.DefaultHttpxClient() as http_client:
        model = splice(model_of(wire, http_client=http_client, **options))
        # Two of Langfuse's handlers leave one of their generations current.
        copy_context().run(_ask, model, kind, given)


def _ask(model: Any, kind: str, config: Any) -> None:
    if kind == "invoke":
        model.invoke("hi", config)
    else:
        list(model.stream("hi", config))


async def _acall(
    wire: ModelServer, kind: str, config: Any, splice: Callable[[Any], Any], options: Any
) -> None:
    async with openai.DefaultAsyncHttpxClient() as http_client:
        model = splice(model_of(wire, http_async_client=http_client, **options))
        if kind == "ainvoke":
            await model.ainvoke("hi", config)
            return
        async for _ in model.astream("hi", config):
            pass


def parents(wire: ModelServer) -> list[str | None]:
    return [metadata.get("parent_observation_id") for _, metadata, _ in links(wire)]


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
def test_without_langfuses_private_map_the_enclosing_span_is_the_parent(
    wire: ModelServer,
    langfuse: Langfuse,
    make_handler: Callable[[], CallbackHandler],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    monkeypatch.setattr(_handlers, "_RUNS", "_no_such_map")
    monkeypatch.setattr("tracesplice._report._seen", set())
    with langfuse.start_as_current_observation(name="enclosing") as span:
        call(wire, kind, [make_handler()])
        call(wire, kind, [make_handler()])
    assert parents(wire) == [span.id, span.id]
    [record] = [each for each in caplog.records if each.name == "tracesplice"]
    assert "does not say which generation it made" in record.message
    assert "go under the enclosing span" in record.message


def test_without_a_method_of_langchains_the_enclosing_span_is_the_parent(
    wire: ModelServer,
    langfuse: Langfuse,
    make_handler: Callable[[], CallbackHandler],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class NextModel(ChatOpenAI):
        """One of which the methods have other names."""

        _agenerate = unwrap(ChatOpenAI._agenerate)

    monkeypatch.setattr("tracesplice._report._seen", set())
    wrapper = _repair._OF_CHAT_MODELS["_agenerate"]
    monkeypatch.setattr(_repair, "_OF_CHAT_MODELS", {"_agenerate_next": wrapper})
    with langfuse.start_as_current_observation(name="enclosing") as span:
        call(wire, "ainvoke", [make_handler()], make=NextModel)
        call(wire, "ainvoke", [make_handler()], make=NextModel)
    assert caplog.text.count("NextModel has no method _agenerate_next") == 1
    assert parents(wire) == [span.id, span.id]


@pytest.mark.usefixtures("lenient")
@KINDS
def test_a_fault_of_ours_costs_neither_the_call_nor_the_answer(
    wire: ModelServer,
    langfuse: Langfuse,
    make_handler: Callable[[], CallbackHandler],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(_current, "span_of_run", broken)
    with langfuse.start_as_current_observation(name="enclosing") as span:
        call(wire, kind, [make_handler()])
    [(_, metadata, _)] = links(wire)
    assert metadata["existing_trace_id"] == span.trace_id
    assert caplog.text.count("tracesplice failed and left out") == 1


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
