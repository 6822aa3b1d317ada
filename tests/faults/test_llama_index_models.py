"""A call belongs to the LlamaIndex call that makes it, whichever class and client makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from langfuse import propagate_attributes
from opentelemetry.sdk.trace import TracerProvider

import tracesplice
from faults.llama_index_calls import template
from faults.wire import client_of, links, say
from shapes.either import drive, each, settle

pytest.importorskip("llama_index.core", reason="LlamaIndex does not run on openai 3")
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    LLMMetadata,
)
from llama_index.core.llms import CustomLLM
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import dispatcher
from openinference.instrumentation.llama_index import _handler

from tracesplice_llama_index import _stream_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langfuse import Langfuse

    from tracesplice_testing.model import ModelServer

# OpenInference looks at attributes that pydantic calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
TEMPLATE = template(text="{what}")
CLIENTS: dict[str, Any] = {}


def ask(**options: Any) -> Any:
    return say(CLIENTS["sync"], **options)


async def aask(**options: Any) -> Any:
    return await say(CLIENTS["async"], **options)


class Plain(CustomLLM):
    """A user's model that calls a client of its own; LlamaIndex makes the asynchronous half."""

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata()

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text=ask().choices[0].message.content)

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        def parts() -> Any:
            for part in ask(stream=True):
                yield CompletionResponse(text="", delta=part.choices[0].delta.content or "")

        return parts()


class Calling(FunctionCallingLLM):
    """One that makes all of it."""

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(is_chat_model=True, is_function_calling_model=True)

    def chat(self, messages: Any, **kwargs: Any) -> ChatResponse:
        return ChatResponse(message=ChatMessage(content=ask().choices[0].message.content))

    @llm_chat_callback()
    def stream_chat(self, messages: Any, **kwargs: Any) -> Any:
        for part in ask(stream=True):
            yield ChatResponse(message=ChatMessage(), delta=part.choices[0].delta.content)

    async def achat(self, messages: Any, **kwargs: Any) -> ChatResponse:
        answer = await aask()
        return ChatResponse(message=ChatMessage(content=answer.choices[0].message.content))

    @llm_chat_callback()
    async def astream_chat(self, messages: Any, **kwargs: Any) -> Any:
        async def parts() -> Any:
            async for part in await aask(stream=True):
                yield ChatResponse(message=ChatMessage(), delta=part.choices[0].delta.content)

        return parts()

    def complete(self, *args: Any, **kwargs: Any) -> Any: ...

    stream_complete = acomplete = astream_complete = _prepare_chat_with_tools = complete


@pytest.fixture(params=["spliced, and OpenInference before 4.6.1", "instrumented"])
def _clients(
    wire: ModelServer, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    CLIENTS["sync"] = client_of(wire)
    CLIENTS["async"] = openai.AsyncOpenAI(base_url=f"{wire.url}/v1", api_key="k")
    if "spliced" in request.param:
        # That one makes no span current.
        monkeypatch.setattr(_handler._Span, "attach_context", lambda _: None, raising=False)
        tracesplice.splice(CLIENTS["sync"])
        tracesplice.splice(CLIENTS["async"])
    else:
        tracesplice.instrument(gateway=wire.url)
    yield
    tracesplice.uninstrument()
    CLIENTS["sync"].close()


async def read(model: Any, method: str, *args: Any, **kwargs: Any) -> None:
    """Call a method; a stream is read when what was around it is over."""
    answer = await settle(getattr(model, method)(*args, **kwargs))
    with CLIENTS["langfuse"].start_as_current_observation(name="read here"):
        if hasattr(answer, "__iter__") or hasattr(answer, "__aiter__"):
            async for _ in each(answer):
                pass
    if method.startswith("a"):
        await CLIENTS["async"].close()


@pytest.mark.usefixtures("_clients")
@pytest.mark.parametrize(
    ("kind", "method", "name"),
    [
        (Plain, "complete", "Plain.complete"),
        (Plain, "predict", "Plain.complete"),
        (Plain, "stream_complete", "Plain.stream_complete"),
        (Plain, "stream", "Plain.stream_complete"),
        (Plain, "achat", "Plain.complete"),
        (Plain, "astream_chat", "Plain.stream_complete"),
        (Calling, "predict", "Calling.chat"),
        (Calling, "stream", "Calling.stream_chat"),
        (Calling, "apredict", "Calling.achat"),
        (Calling, "astream", "Calling.astream_chat"),
    ],
)
def test_it_belongs_to_the_llama_index_call(
    wire: ModelServer, openinference: Any, kind: Any, method: str, name: str
) -> None:
    CLIENTS["langfuse"], exported = openinference
    given: dict[str, Any] = {"prompt": TEMPLATE, "what": "hi"}
    if "chat" in method:
        given = {"messages": TEMPLATE.format_messages(what="hi")}
    elif "complete" in method:
        given = {"prompt": TEMPLATE.format(what="hi")}
    with propagate_attributes(user_id="ada"):
        drive(read(kind(), method, **given), is_async=method.startswith("a"))
    [(_, sent, _)] = links(wire)
    spans = {f"{span.context.span_id:016x}": span for span in exported()}
    assert spans[sent["parent_observation_id"]].name == name
    assert sent["prompt"]["name"] == "own"
    assert sent["trace_user_id"] == "ada"
    linked = spans[sent["parent_observation_id"]].attributes
    assert linked["langfuse.observation.prompt.name"] == "own"


@pytest.mark.usefixtures("_clients")
def test_a_stream_that_another_llama_index_call_reads_belongs_where_it_was_asked_for(
    wire: ModelServer, openinference: Any
) -> None:
    langfuse, exported = openinference

    @dispatcher.span
    def read_by_llama_index(stream: Any) -> None:
        assert list(stream)

    with langfuse.start_as_current_observation(name="asked"):
        stream = Plain().stream_complete("hi")
    read_by_llama_index(stream)
    [(_, sent, _)] = links(wire)
    names = {f"{span.context.span_id:016x}": span.name for span in exported()}
    assert names[sent["parent_observation_id"]] == "Plain.stream_complete"


def test_a_kept_context_would_change_with_openinferences_stand_in(
    wire: ModelServer, openinference: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails where OpenInference leaves alone what it made current: ``_lasting`` may go then."""
    langfuse, exported = openinference
    monkeypatch.setattr(_stream_context, "_lasting", lambda span: span)
    with client_of(wire) as client:
        CLIENTS["sync"] = tracesplice.splice(client)
        with langfuse.start_as_current_observation(name="asked") as span:
            stream = Plain().stream_complete("hi")
        assert list(stream)
    assert "Plain.stream_complete" in {each.name for each in exported()}
    [(_, sent, _)] = links(wire)
    assert sent["parent_observation_id"] == span.id


@pytest.mark.usefixtures("_clients")
def test_a_span_that_langfuse_does_not_store_is_no_place(
    wire: ModelServer, langfuse: Langfuse
) -> None:
    # As FastAPI makes one for each request: asked for in it, read in an observation.
    tracer = TracerProvider().get_tracer("opentelemetry.instrumentation.fastapi")
    with tracer.start_as_current_span("GET /"), propagate_attributes(user_id="ada"):
        streams = [Plain().stream_complete("hi"), Plain().stream_complete("hi")]
    with langfuse.start_as_current_observation(name="read here") as span:
        list(streams[0])
    with tracer.start_as_current_span("GET / http send"):
        list(streams[1])
    [(_, inside, _), (_, outside, _)] = links(wire)
    assert inside["parent_observation_id"] == span.id
    assert "trace_user_id" not in inside
    assert outside["trace_user_id"] == "ada"
