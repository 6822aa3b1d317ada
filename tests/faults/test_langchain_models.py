"""Each call of a model belongs to its LangChain run, whichever class the model is of."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_openai import OpenAI

import tracesplice
from faults.langchain_calls import (
    KINDS,
    AnyModel,
    ask,
    begun,
    ids,
    model_of,
    openinference,
    parents,
)
from faults.wire import say, spliced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langfuse.langchain import CallbackHandler

    from tracesplice_testing.model import ModelServer

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="no context for tasks before Python 3.11"
)


class OwnModel(AnyModel):
    """A model of the user's that asks the gateway by clients of its own making."""

    url: str

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        with spliced(openai.OpenAI, self.url) as client:
            say(client)
        return super()._generate()

    async def _agenerate(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any
    ) -> ChatResult:
        async with spliced(openai.AsyncOpenAI, self.url) as client:
            await say(client)
        return super()._generate()


class OwnStream(OwnModel):
    """One that streams."""

    def _stream(self, *_: Any, **__: Any) -> Any:
        super()._generate()
        yield ChatGenerationChunk(message=AIMessageChunk(content="ok"))

    async def _astream(self, *_: Any, **__: Any) -> Any:
        await super()._agenerate([])
        yield ChatGenerationChunk(message=AIMessageChunk(content="ok"))


class Around(AnyModel):
    """A model around another one."""

    inner: Any

    def _generate(self, messages: Any, *_: Any, **__: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.inner.invoke(messages))])

    async def _agenerate(self, messages: Any, *_: Any, **__: Any) -> ChatResult:
        answer: AIMessage = await self.inner.ainvoke(messages)
        return ChatResult(generations=[ChatGeneration(message=answer)])


def of_two_clients(wire: ModelServer) -> Any:
    """A model that calls through other clients than those under the names of the roots."""
    options: dict[str, Any] = {"base_url": f"{wire.url}/v1", "api_key": "k", "max_retries": 0}
    closing = {**options, "default_headers": {"connection": "close"}}
    return model_of(
        wire,
        client=openai.OpenAI(**closing).chat.completions,
        async_client=openai.AsyncOpenAI(**closing).chat.completions,
        root_client=openai.OpenAI(**options),
    )


MODELS: dict[str, Callable[[ModelServer], Any]] = {
    "of two clients": lambda wire: tracesplice.splice(of_two_clients(wire)),
    "own": lambda wire: OwnModel(url=wire.url),
    "own, streaming": lambda wire: OwnStream(url=wire.url),
    "around": lambda wire: tracesplice.splice(Around(inner=model_of(wire))),
    "completions": lambda wire: tracesplice.splice(model_of(wire, OpenAI)),
}


@contextmanager
def langfuse_handler(handler: CallbackHandler) -> Iterator[list[Any]]:
    yield begun(handler)


@pytest.mark.parametrize("tracer", ["langfuse", "openinference"])
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
@KINDS
def test_models_of_any_class(
    wire: ModelServer,
    make_handler: Callable[[], CallbackHandler],
    make: Callable[[ModelServer], Any],
    tracer: str,
    kind: str,
) -> None:
    handler = make_handler() if tracer == "langfuse" else None
    with openinference() if handler is None else langfuse_handler(handler) as spans:
        # With an option that has a name of ours.
        ask(make(wire), kind, {"callbacks": [handler] if handler else None}, model="m")
    [request] = wire.calls
    sent: Any = request.json
    # OpenInference's, being for the whole process, has the run of an inner model, too.
    assert sent["litellm_metadata"]["parent_observation_id"] == ids(spans)[-1]


@pytest.mark.skipif(not hasattr(BaseChatModel, "stream_events"), reason="not in this LangChain")
def test_a_stream_of_events_of_a_new_class(wire: ModelServer) -> None:
    class New(OwnStream):
        def _stream(self, *args: Any, **kwargs: Any) -> Any:
            yield from super()._stream(*args, **kwargs)

    tracesplice.splice(openai.OpenAI(base_url=wire.url, api_key="k"))
    with openinference() as spans:
        list(New(url=wire.url).stream_events("hi", version="v3"))
    assert parents(wire) == ids(spans)[-1:]
