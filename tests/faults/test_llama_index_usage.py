"""A LlamaIndex call that failed used nothing, in all the spans that OpenInference makes of it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice
from conformance.either import each, settle
from faults.test_usage import ZERO

pytest.importorskip("llama_index.core", reason="LlamaIndex does not run on openai 3")
from llama_index.core import Document, SummaryIndex
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import PromptTemplate
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# OpenInference looks at attributes that pydantic calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
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
def generations(make_langfuse: Callable[..., Any]) -> Iterator[Callable[[], list[Any]]]:
    """Reads what Langfuse is told of the generations."""
    provider, exported = TracerProvider(), InMemorySpanExporter()
    langfuse = make_langfuse(
        tracer_provider=provider,
        span_exporter=exported,
        mask_otel_spans=tracesplice.count_usage_once(),
    )
    LlamaIndexInstrumentor().instrument(tracer_provider=provider)

    def read() -> list[Any]:
        langfuse.flush()
        attributes = [span.attributes or {} for span in exported.get_finished_spans()]
        return [each for each in attributes if each.get("openinference.span.kind") == "LLM"]

    yield read
    LlamaIndexInstrumentor().uninstrument()


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
        assert json.loads(attributes["langfuse.observation.usage_details"]) == ZERO
        assert json.loads(attributes["langfuse.observation.cost_details"]) == ZERO
