"""What LlamaIndex's generations say was used: nothing where a call failed, all where some is ours.

OpenInference makes several spans of a call.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import openai
import pytest

import tracesplice
from faults.test_usage import ZERO
from faults.wire import client_of, say
from shapes.either import drive, each, settle

pytest.importorskip("llama_index.core", reason="LlamaIndex does not run on openai 3")
from llama_index.core import Document, SummaryIndex
from llama_index.core.base.llms.types import ChatMessage, CompletionResponse, LLMMetadata
from llama_index.core.llms import CustomLLM
from llama_index.core.llms.callbacks import llm_completion_callback
from llama_index.core.prompts import PromptTemplate

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracesplice_testing.model import ModelServer

# OpenInference looks at attributes that pydantic calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
_USAGE = "langfuse.observation.usage_details"
TEXT = "hi [[fail:400]]"
DOCUMENTS = [Document(text="It is sunny.")]
ARGUMENTS: dict[str, Any] = {
    "complete": TEXT,
    "chat": [ChatMessage(content=TEXT)],
    "predict": PromptTemplate(TEXT),
    "stream": PromptTemplate(TEXT),
    "query": TEXT,
}


@pytest.fixture
def generations(openinference: Any) -> Callable[[], list[Any]]:
    """Reads what Langfuse is told of the generations."""

    def read() -> list[Any]:
        attributes = [span.attributes or {} for span in openinference[1]()]
        kinds = {("openinference.span.kind", "LLM"), ("langfuse.observation.type", "generation")}
        return [each for each in attributes if kinds & each.items()]

    return read


async def ask(make: Callable[..., Any], method: str) -> None:
    async with openai.DefaultAsyncHttpxClient() as http_client:
        owner = tracesplice.splice(make(async_http_client=http_client))
        given = ARGUMENTS[method.removeprefix("a").rpartition("_")[2]]
        if method == "stream_query":
            engine: Any = SummaryIndex(DOCUMENTS).as_query_engine(llm=owner, streaming=True)
            list(engine.query(given).response_gen)
            return
        if method.endswith("query"):
            owner = SummaryIndex(DOCUMENTS).as_query_engine(llm=owner)
        async for _ in each(await settle(getattr(owner, method)(given))):
            pass


@pytest.mark.parametrize(
    "method",
    [
        *("complete", "acomplete", "chat", "achat", "predict", "apredict"),
        *("stream_complete", "astream_complete", "stream_chat", "astream_chat"),
        *("stream", "astream", "query", "aquery", "stream_query"),
    ],
)
def test_a_failed_call_says_zero(
    make_llama_index: Callable[..., Any],
    generations: Callable[[], list[Any]],
    method: str,
) -> None:
    with pytest.raises(openai.BadRequestError):
        asyncio.run(ask(make_llama_index, method))
    found = generations()
    assert found
    for attributes in found:
        assert json.loads(attributes[_USAGE]) == ZERO
        assert json.loads(attributes["langfuse.observation.cost_details"]) == ZERO


class Both(CustomLLM):
    """A user's model that asks a gateway and a provider, and says what both used."""

    clients: Any

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata()

    @llm_completion_callback()
    def complete(self, *_: Any, **__: Any) -> CompletionResponse:
        for client in self.clients:
            say(client)
        used = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        return CompletionResponse(text="hi", raw={"usage": used})

    @llm_completion_callback()
    def stream_complete(self, prompt: str, *_: Any, **__: Any) -> Any:
        yield self.complete(prompt)


@pytest.mark.parametrize("method", ["complete", "acomplete", "stream_complete", "chat", "achat"])
@pytest.mark.parametrize("others", ["before", "after", "none"])
def test_a_generation_around_another_client_s_call_too_keeps_its_usage(
    wire: ModelServer,
    elsewhere: ModelServer,
    generations: Callable[[], list[Any]],
    method: str,
    others: str,
) -> None:
    async def ask(model: Both) -> None:
        given: Any = [ChatMessage(content="hi")] if "chat" in method else "hi"
        answer = await settle(getattr(model, method)(given))
        if method.startswith("stream"):
            assert list(answer)

    with client_of(wire) as ours, client_of(elsewhere) as other:
        tracesplice.splice(ours)
        clients = {"before": [other, ours], "after": [ours, other], "none": [ours]}[others]
        drive(ask(Both(clients=clients)), is_async=method.startswith("a"))
    used = [each.get("llm.token_count.total") for each in generations()]
    assert (7 in used) == (others != "none")


@pytest.mark.parametrize("method", ["complete", "acomplete"])
@pytest.mark.parametrize("others", ["before", "after", "none"])
def test_so_does_the_user_s_own_around_another_model_s_call_too(
    make_llama_index: Callable[..., Any],
    elsewhere: ModelServer,
    openinference: Any,
    generations: Callable[[], list[Any]],
    method: str,
    others: str,
) -> None:
    async def ask() -> None:
        async with openai.DefaultAsyncHttpxClient() as http:
            ours = tracesplice.splice(make_llama_index(async_http_client=http))
            other = make_llama_index(api_base=f"{elsewhere.url}/v1", async_http_client=http)
            models = {"before": [other, ours], "after": [ours, other], "none": [ours]}[others]
            with openinference[0].start_as_current_observation(
                name="mine", as_type="generation", usage_details={"total": 7}
            ):
                for model in models:
                    await settle(getattr(model, method)("hi"))

    asyncio.run(ask())
    *inside, mine = [each.get(_USAGE) for each in generations()]
    assert json.loads(mine)["total"] == (0 if others == "none" else 7)
    assert None in inside if others != "none" else None not in inside
