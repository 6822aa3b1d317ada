"""LangChain streams on the wire: of whatever kind they are, and wherever they are read."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from langfuse import propagate_attributes
from opentelemetry.sdk.trace import TracerProvider

import tracesplice
from faults.langchain_calls import (
    AnyModel,
    ask,
    begun,
    ids,
    model_of,
    openinference,
    parents,
)
from faults.wire import client_of, links, say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from langfuse import Langfuse
    from langfuse.langchain import CallbackHandler

    from tracesplice_testing.model import ModelServer

SERVER = TracerProvider().get_tracer("web-server")  # Langfuse does not store its spans


class Chunks:
    """A stream that is no generator, and has an attribute of its own; synchronous or not."""

    status = 200

    def __init__(self, items: Iterator[Any]) -> None:
        self.items = items

    def __iter__(self) -> Any:
        return self.items

    async def __aiter__(self) -> AsyncIterator[Any]:
        for item in self.items:
            yield item


class AnyStream(AnyModel):
    """A model of the user's, the streams of which are of some kind."""

    client: Any

    def _stream(self, *_: Any, **__: Any) -> Any:
        return Chunks(self._chunks())

    def _astream(self, *_: Any, **__: Any) -> Any:
        return Chunks(self._chunks())

    def _chunks(self) -> Iterator[Any]:
        say(self.client)
        for text in ("a", "b"):
            yield ChatGenerationChunk(message=AIMessageChunk(content=text))


async def _aread(model: Any) -> list[Any]:
    return [chunk.content async for chunk in model.astream("hi")]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_stream_of_any_kind_is_read_as_without_us(
    wire: ModelServer, langfuse: Langfuse, is_async: bool
) -> None:
    with client_of(wire) as client, langfuse.start_as_current_observation(name="x") as span:
        model = tracesplice.splice(AnyStream(client=client))
        read = asyncio.run(_aread(model)) if is_async else [x.content for x in model.stream("hi")]
    assert [each for each in read if each] == ["a", "b"]
    assert parents(wire) == [span.id]
    assert model._stream([]).status == model._astream([]).status == 200


def read_later(wire: ModelServer, kind: str, ask: Callable[[Any], Any]) -> None:
    """Ask for a stream by ``ask``, and read it when that has returned."""

    async def read() -> None:
        stream = ask(getattr(tracesplice.splice(model_of(wire)), kind))
        if kind == "stream":
            list(stream)
        else:
            async for _ in stream:
                pass

    asyncio.run(read())


LATER = pytest.mark.parametrize("kind", ["stream", "astream"])


@LATER
def test_a_servers_span_takes_no_stream_away(
    wire: ModelServer, langfuse: Langfuse, kind: str
) -> None:
    asked: list[str] = []

    def endpoint(stream: Any) -> Any:
        with (
            langfuse.start_as_current_observation(name="endpoint") as span,
            propagate_attributes(user_id="ada", session_id="s"),
        ):
            asked.append(span.id)
            return stream("hi")

    def endpoint_without_span(stream: Any) -> Any:
        with propagate_attributes(user_id="eve", session_id="t"):
            return stream("hi")

    with SERVER.start_as_current_span("GET /"):
        read_later(wire, kind, endpoint)
    read_later(wire, kind, endpoint_without_span)
    first, second = (sent for _, sent, _ in links(wire))
    assert [first["parent_observation_id"]] == asked
    assert (first["trace_user_id"], first["session_id"]) == ("ada", "s")
    assert (second["trace_user_id"], second["session_id"]) == ("eve", "t")


@LATER
def test_a_stream_read_inside_an_observation_belongs_there(
    wire: ModelServer, langfuse: Langfuse, kind: str
) -> None:
    def ask(stream: Any) -> Any:
        with langfuse.start_as_current_observation(name="asked"):
            return stream("hi")

    with langfuse.start_as_current_observation(name="read") as span:
        read_later(wire, kind, ask)
    assert parents(wire) == [span.id]


@LATER
def test_a_stream_of_a_model_that_is_not_spliced_is_read_as_without_us(
    wire: ModelServer, langfuse: Langfuse, kind: str
) -> None:
    tracesplice.splice(model_of(wire))  # the classes are wrapped
    model = model_of(wire)

    async def read() -> None:
        with langfuse.start_as_current_observation(name="asked"):
            stream = getattr(model, kind)("hi")
        if kind == "stream":
            list(stream)
        else:
            [_ async for _ in stream]

    with openinference() as spans:
        asyncio.run(read())
    [generation] = spans
    assert generation.parent is None


@pytest.mark.parametrize("kind", ["invoke", "ainvoke"])
def test_a_servers_span_takes_no_fallback_away(
    wire: ModelServer, make_handler: Callable[[], CallbackHandler], kind: str
) -> None:
    handler = make_handler()
    spans = begun(handler)
    first, second = (tracesplice.splice(model_of(wire)) for _ in range(2))
    fails_once = f"hi [[fail-once:500:{secrets.token_hex(8)}]]"
    with SERVER.start_as_current_span("GET /"):
        ask(first.with_fallbacks([second]), kind, {"callbacks": [handler]}, fails_once)
    chain, *generations = spans
    assert len(generations) == 2
    assert parents(wire) == ids(generations)
    assert {each.parent.span_id for each in generations} == {chain.get_span_context().span_id}


@LATER
def test_a_stream_belongs_to_the_run_it_was_asked_for_in(wire: ModelServer, kind: str) -> None:
    def ask_inside(stream: Any) -> Any:
        inside: Any = RunnableLambda(lambda _: (stream("hi"),))
        return inside.invoke("x")[0]

    with openinference() as spans:
        read_later(wire, kind, ask_inside)
    run, generation = spans
    assert parents(wire) == ids([generation])
    assert generation.parent.span_id == run.get_span_context().span_id


def test_the_base_class_is_left_as_it_is() -> None:
    # LangChain looks whether a class has a stream of its own by comparing it with the base's.
    class NoStream(AnyModel):
        _stream = BaseChatModel._stream
        _astream = BaseChatModel._astream

    tracesplice.splice(openai.OpenAI(base_url="http://gw:4000", api_key="k"))
    for name in ("_stream", "_astream"):
        assert getattr(NoStream, name) is getattr(BaseChatModel, name)
    assert [chunk.content for chunk in NoStream().stream("hi")] == ["ok"]
    assert ChatOpenAI._stream is not BaseChatModel._stream
