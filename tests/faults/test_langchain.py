"""LangChain calls on the wire: whose they are, and what they carry."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext
from contextvars import Context
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI, OpenAI
from langfuse import propagate_attributes
from opentelemetry import context as otel_context
from opentelemetry import trace

import tracesplice
from faults.langchain_calls import (
    ASYNC,
    KINDS,
    ask,
    begun,
    call,
    ids,
    model_of,
    openinference,
    parents,
)
from faults.wire import carries_nothing, links
from tracesplice.adapter import capture_link, span_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse import Langfuse
    from langfuse.langchain import CallbackHandler

    from tracesplice_testing.model import ModelServer

    Make = Callable[[], CallbackHandler]


@KINDS
def test_of_several_handlers_the_first_has_the_call(
    wire: ModelServer, make_handler: Make, kind: str
) -> None:
    first = make_handler()
    spans = begun(first)
    call(wire, kind, [first, make_handler()])
    assert parents(wire) == ids(spans)


@KINDS
def test_langfuses_handler_comes_before_an_instrumentor(
    wire: ModelServer, make_handler: Make, kind: str
) -> None:
    handler = make_handler()
    spans = begun(handler)
    with openinference():
        call(wire, kind, [handler])
    assert parents(wire) == ids(spans)


@KINDS
def test_a_handler_that_knows_nothing_changes_nothing(
    wire: ModelServer, langfuse: Langfuse, kind: str
) -> None:
    with langfuse.start_as_current_observation(name="enclosing") as span:
        call(wire, kind, [BaseCallbackHandler()])
    assert parents(wire) == [span.id]


@ASYNC
def test_the_callers_context_is_what_it_was(
    wire: ModelServer, make_handler: Make, kind: str
) -> None:
    config: Any = {"callbacks": [make_handler()], "metadata": {"langfuse_user_id": "ada"}}
    model = tracesplice.splice(model_of(wire))

    async def watched() -> None:
        if kind == "ainvoke":
            await model.ainvoke("hi", config)
        else:
            async for _ in model.astream("hi", config):
                assert not trace.get_current_span().get_span_context().is_valid
        assert otel_context.get_current() == {}

    Context().run(asyncio.run, watched())


@pytest.mark.parametrize("kind", ["invoke", "stream"])
@pytest.mark.parametrize("make", [ChatOpenAI, OpenAI])
def test_the_callers_thread_is_what_it_was(
    wire: ModelServer, make_handler: Make, make: Any, kind: str
) -> None:
    config: Any = {"callbacks": [make_handler()], "metadata": {"langfuse_user_id": "ada"}}
    model = tracesplice.splice(model_of(wire, make))

    def watched() -> None:
        list(model.stream("hi", config)) if kind == "stream" else model.invoke("hi", config)
        assert otel_context.get_current() == {}

    Context().run(watched)


def test_what_a_run_left_behind_is_not_for_the_next_call(
    wire: ModelServer, langfuse: Langfuse, make_handler: Make
) -> None:
    model = tracesplice.splice(model_of(wire))
    config: Any = {"callbacks": [make_handler()], "metadata": {"langfuse_user_id": "ada"}}

    async def ask_without_a_run() -> None:
        async for _ in model._astream([HumanMessage("hi")]):
            pass

    async def leave_and_go_on() -> list[str]:
        with langfuse.start_as_current_observation(name="first"):
            stream = model.astream("hi", config)
            await anext(stream)
        with langfuse.start_as_current_observation(name="second") as span:
            await ask_without_a_run()  # while the stream is open
            await model.ainvoke("hi")
            await ask_without_a_run()
        await stream.aclose()
        await model.ainvoke("hi", config)
        with langfuse.start_as_current_observation(name="third") as third:
            await ask_without_a_run()
        return [span.id] * 3 + [third.id]

    after = asyncio.run(leave_and_go_on())
    [_, *second, _, third] = links(wire)
    assert [sent["parent_observation_id"] for _, sent, _ in [*second, third]] == after
    assert not any("trace_user_id" in sent for _, sent, _ in [*second, third])


def test_the_metadata_of_a_call_is_nearer_than_what_is_ambient(
    wire: ModelServer, make_handler: Make
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
        model = tracesplice.splice(model_of(wire))
        ask(model, "ainvoke", {"callbacks": [make_handler()], "metadata": metadata})
    [(_, sent, _)] = links(wire)
    assert (sent["trace_user_id"], sent["session_id"]) == ("eve", "s-1")
    assert set(sent["tags"]) == {"a", "beta"}
    assert sent["prompt"] == {**prompt, "prompt": ""}


@pytest.mark.parametrize("user", [None, "ada"])
@KINDS
def test_the_metadata_of_a_call_without_a_handler_is_of_that_call_alone(
    wire: ModelServer, langfuse: Langfuse, kind: str, user: str | None
) -> None:
    model = tracesplice.splice(model_of(wire))
    config: Any = {
        "metadata": {
            "langfuse_user_id": "bob",
            "langfuse_tags": ["of bob"],
            "langfuse_prompt": {"name": "p", "version": 2},
        }
    }
    around = propagate_attributes(user_id=user) if user else nullcontext()
    with around, langfuse.start_as_current_observation(name="of both") as span:
        own: Any = span_of(span)
        before = dict(own.attributes)
        ask(model, kind, config)
        after = dict(own.attributes)
        link = capture_link()
        ask(model, kind)
    [(_, bobs, _), (_, others, _)] = links(wire)
    assert (bobs["trace_user_id"], bobs["tags"]) == ("bob", ["of bob"])
    assert bobs["prompt"]["name"] == "p"
    assert bobs["parent_observation_id"] == others["parent_observation_id"] == span.id
    assert (others.get("trace_user_id"), others.get("tags")) == (user, None)
    assert link is not None
    assert (link.user_id, link.tags, link.prompt) == (user, (), None)
    assert after == before


@pytest.mark.skipif(sys.version_info < (3, 11), reason="no context for tasks before Python 3.11")
@pytest.mark.parametrize("own", [[], ["beta"]])
@KINDS
def test_langchains_tags_are_trace_tags_as_langfuses_handler_has_them(
    wire: ModelServer, make_handler: Make, own: list[str], kind: str
) -> None:
    model = tracesplice.splice(model_of(wire)).with_config(tags=["of the model"])
    chain = (RunnableLambda(str) | model).with_config(tags=["of the chain"])
    config: Any = {"callbacks": [make_handler()], "metadata": {"langfuse_tags": own} if own else {}}
    ask(chain, kind, config)
    with openinference():  # has no such tags
        ask(chain, kind)
    [(_, sent, _), (_, without, _)] = links(wire)
    assert sorted(sent["tags"]) == [*own, "of the chain"]
    assert "tags" not in without


@KINDS
def test_tags_of_a_chain_are_not_for_a_model_with_handlers_of_its_own(
    wire: ModelServer, make_handler: Make, kind: str
) -> None:
    model, config = tracesplice.splice(model_of(wire)), {"callbacks": [make_handler()]}

    async def aask(text: str) -> None:
        if kind == "astream":
            [_ async for _ in model.astream(text, config)]
        else:
            await model.ainvoke(text, config)

    inside: Any = RunnableLambda(
        lambda text: list(getattr(model, kind)(text, config)), afunc=aask
    ).with_config(tags=["of the chain"])
    ask(inside, "ainvoke" if kind.startswith("a") else "invoke")
    [(_, sent, _)] = links(wire)
    assert "tags" not in sent


@pytest.mark.usefixtures("_uninstrument")
@KINDS
def test_instrument_finds_the_run_of_models_that_are_not_spliced(
    wire: ModelServer, make_handler: Make, kind: str
) -> None:
    handler = make_handler()
    spans = begun(handler)
    tracesplice.instrument(gateway=wire.url)
    ask(model_of(wire), kind, {"callbacks": [handler]})
    assert parents(wire) == ids(spans)


@pytest.mark.parametrize("make", [ChatOpenAI, OpenAI])
@KINDS
def test_a_model_that_is_not_spliced_is_asked_where_it_would_be_without_us(
    wire: ModelServer, langfuse: Langfuse, make: Any, kind: str
) -> None:
    tracesplice.splice(model_of(wire, make))  # the classes are wrapped
    current: list[int] = []

    def note(_: object) -> None:
        current.append(trace.get_current_span().get_span_context().span_id)

    async def anote(_: object) -> None:
        note(_)

    model = model_of(
        wire,
        make,
        http_client=openai.DefaultHttpxClient(event_hooks={"request": [note]}),
        http_async_client=openai.DefaultAsyncHttpxClient(event_hooks={"request": [anote]}),
    )
    with openinference(), langfuse.start_as_current_observation(name="enclosing") as span:
        ask(model, kind)
    assert current == [int(span.id, 16)]


@KINDS
def test_after_uninstrument_and_unsplice_nothing_is_left(
    wire: ModelServer, langfuse: Langfuse, make_handler: Make, kind: str
) -> None:
    tracesplice.instrument(gateway=wire.url)
    tracesplice.uninstrument()
    model = tracesplice.unsplice(tracesplice.splice(model_of(wire)))
    with langfuse.start_as_current_observation(name="enclosing"):
        for each in (model_of(wire), model):
            ask(each, kind, {"callbacks": [make_handler()]})
    assert carries_nothing(wire)
