"""The LlamaIndex adapter keeps to the contract, with OpenInference's instrumentor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

from rig.llama_index_tracing import llama_index_traced
from tracesplice.testing import AdapterContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from opentelemetry.sdk.trace import TracerProvider


# LlamaIndex and OpenInference look at attributes that pydantic calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module", autouse=True)
def _traced(contract_tracer_provider: TracerProvider) -> Iterator[None]:
    with llama_index_traced(contract_tracer_provider):
        yield


class TestLlamaIndex(AdapterContract):
    package = "llama_index"
    observes = True

    def make(self, url: str, key: str) -> OpenAILike:
        return OpenAILike(
            model="chat", api_base=f"{url}/v1", api_key=key, is_chat_model=True, max_retries=0
        )

    def close(self, target: Any) -> None:
        target._get_client().close()

    async def aclose(self, target: Any) -> None:
        await target._get_aclient().close()

    def call(self, target: Any, question: str) -> Any:
        return target.chat([ChatMessage(question)]).message.content

    def stream(self, target: Any, question: str) -> Iterable[Any]:
        found: Iterable[Any] = target.stream_chat([ChatMessage(question)])
        return found

    async def acall(self, target: Any, question: str) -> Any:
        return (await target.achat([ChatMessage(question)])).message.content

    async def astream(self, target: Any, question: str) -> AsyncIterator[Any]:
        found: AsyncIterator[Any] = await target.astream_chat([ChatMessage(question)])
        return found
