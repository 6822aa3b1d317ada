"""Each call of a model belongs to its LangChain run, whichever class the model is of."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_openai import OpenAI
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

import tracesplice
from faults.langchain_calls import KINDS, model_of, parents
from faults.wire import say, spliced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langfuse.langchain import CallbackHandler

    from rig.model import ModelServer

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="no context for tasks before Python 3.11"
)


class OwnModel(BaseChatModel):
    """A model of the user's that asks the gateway by clients of its own making."""

    url: str

    @property
    def _llm_type(self) -> str:
        return "own"

    def _generate(self, messages: Any, *_: Any, **__: Any) -> ChatResult:
        with spliced(openai.OpenAI, self.url) as client:
            say(client)
        return ChatResult(generations=[ChatGeneration(message=AIMessage("ok"))])

    async def _agenerate(
        self,
        messages: Any,
        stop: Any = None,
        run_manager: Any = None,
        **_: Any,
    ) -> ChatResult:
        async with spliced(openai.AsyncOpenAI, self.url) as client:
            await say(client)
        return ChatResult(generations=[ChatGeneration(message=AIMessage("ok"))])


class OwnStream(OwnModel):
    """One that streams."""

    def _stream(self, *_: Any, **__: Any) -> Any:
        with spliced(openai.OpenAI, self.url) as client:
            say(client)
        yield ChatGenerationChunk(message=AIMessageChunk(content="ok"))

    async def _astream(self, *_: Any, **__: Any) -> Any:
        async with spliced(openai.AsyncOpenAI, self.url) as client:
            await say(client)
        yield ChatGenerationChunk(message=AIMessageChunk(content="ok"))


class Around(BaseChatModel):
    """A model around another one."""

    inner: Any

    @property
    def _llm_type(self) -> str:
        return "around"

    def _generate(self, messages: Any, *_: Any, **__: Any) -> ChatResult:
        answer = self.inner.invoke(messages)
        return ChatResult(generations=[ChatGeneration(message=answer)])

    async def _agenerate(self, messages: Any, *_: Any, **__: Any) -> ChatResult:
        answer = await self.inner.ainvoke(messages)
        return ChatResult(generations=[ChatGeneration(message=answer)])


def of_two_clients(wire: ModelServer, **http: Any) -> Any:
    """A model that calls through other clients than those under the names of the roots."""
    names = {"http_client": "client", "http_async_client": "async_client"}
    kinds = {"http_client": openai.OpenAI, "http_async_client": openai.AsyncOpenAI}
    options: dict[str, Any] = {"base_url": f"{wire.url}/v1", "api_key": "k", "max_retries": 0}
    own = {
        names[name]: kinds[name](**options, http_client=client).chat.completions
        for name, client in http.items()
    }
    return model_of(wire, **own, root_client=openai.OpenAI(**options), **http)


MODELS: dict[str, Callable[..., Any]] = {
    "of two clients": of_two_clients,
    "own": lambda wire, **_: OwnModel(url=wire.url),
    "own, streaming": lambda wire, **_: OwnStream(url=wire.url),
    "around": lambda wire, **http: Around(inner=model_of(wire, **http)),
    "completions": lambda wire, **http: model_of(wire, OpenAI, **http),
}


class Started(SpanProcessor):
    """Keeps the ids of the spans that were started."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.ids.append(trace.format_span_id(span.get_span_context().span_id))


@contextmanager
def openinference() -> Iterator[tuple[None, list[str]]]:
    """Traces with OpenInference; gives the callbacks of a call, and the ids of its spans."""
    started, provider = Started(), TracerProvider()
    provider.add_span_processor(started)
    LangChainInstrumentor().instrument(tracer_provider=provider)
    try:
        yield None, started.ids
    finally:
        LangChainInstrumentor().uninstrument()


@contextmanager
def langfuse_handler(handler: Any) -> Iterator[tuple[list[Any], list[str]]]:
    """Traces with Langfuse's handler, likewise."""
    ids: list[str] = []
    attach = handler._attach_observation

    def note(run_id: Any, observation: Any) -> None:
        ids.append(observation.id)
        attach(run_id, observation)

    handler._attach_observation = note
    yield [handler], ids


@pytest.mark.parametrize("tracer", ["langfuse", "openinference"])
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
@KINDS
def test_models_of_any_class(
    wire: ModelServer,
    make_handler: Callable[[], CallbackHandler],
    make: Any,
    tracer: str,
    kind: str,
) -> None:
    tracing = openinference() if tracer == "openinference" else langfuse_handler(make_handler())
    with tracing as (callbacks, ids):
        ask(make, wire, kind, {"callbacks": callbacks})
    [request] = wire.calls
    sent: Any = request.json
    # OpenInference's, being for the whole process, has the run of an inner model, too.
    assert sent["litellm_metadata"]["parent_observation_id"] == ids[-1]


@pytest.mark.skipif(not hasattr(BaseChatModel, "stream_events"), reason="not in this LangChain")
def test_a_stream_of_events_of_a_class_that_was_not_met_before(wire: ModelServer) -> None:
    class NotMet(OwnStream):
        _stream = OwnStream._stream

    tracesplice.splice(openai.OpenAI(base_url=wire.url, api_key="k"))
    with openinference() as (_, ids):
        model: Any = NotMet(url=wire.url)
        list(model.stream_events("hi", version="v3"))
    assert parents(wire) == [ids[-1]]


def ask(make: Any, wire: ModelServer, kind: str, config: Any) -> None:
    """Call a model in one of four ways; one that holds a client is spliced.

    With an option that has a name of ours.
    """

    def model(**http: Any) -> Any:
        made = make(wire, **http)
        return made if isinstance(made, OwnModel) else tracesplice.splice(made)

    async def aask() -> None:
        async with openai.DefaultAsyncHttpxClient() as http_client:
            if kind == "ainvoke":
                await model(http_async_client=http_client).ainvoke("hi", config, model="m")
                return
            async for _ in model(http_async_client=http_client).astream("hi", config):
                pass

    if kind.startswith("a"):
        asyncio.run(aask())
        return
    with openai.DefaultHttpxClient() as http:
        if kind == "invoke":
            model(http_client=http).invoke("hi", config, model="m")
        else:
            list(model(http_client=http).stream("hi", config))
