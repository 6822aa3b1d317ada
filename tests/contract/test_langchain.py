"""The LangChain adapter keeps to the contract, with Langfuse's own handler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
from langchain_openai import ChatOpenAI
from langfuse.langchain import CallbackHandler
from pydantic import SecretStr

from tracesplice.testing import AdapterContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping


class TestLangChain(AdapterContract):
    observes = True

    def make(self, url: str, key: str) -> ChatOpenAI:
        return ChatOpenAI(
            base_url=f"{url}/v1",
            api_key=SecretStr(key),
            model="chat",
            max_retries=0,
            http_client=openai.DefaultHttpxClient(),
            http_async_client=openai.DefaultAsyncHttpxClient(),
        )

    def call(self, target: Any, question: str, **options: Any) -> Any:
        return target.invoke(question, self.traced(), **options).content

    def stream(self, target: Any, question: str) -> Iterable[Any]:
        found: Iterable[Any] = target.stream(question, self.traced())
        return found

    async def acall(self, target: Any, question: str) -> Any:
        return (await target.ainvoke(question, self.traced())).content

    async def astream(self, target: Any, question: str) -> AsyncIterator[Any]:
        found: AsyncIterator[Any] = target.astream(question, self.traced())
        return found

    def call_with(
        self, target: Any, question: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Any:
        return self.call(target, question, extra_body=body, extra_headers=headers)

    def derive(self, target: Any) -> Iterable[Any]:
        return [target.bind(stop=["."]), target.with_config(tags=["derived"])]

    def close(self, target: Any) -> None:
        target.http_client.close()

    async def aclose(self, target: Any) -> None:
        await target.http_async_client.aclose()
        target.http_client.close()

    def traced(self) -> Any:
        return {"callbacks": [CallbackHandler(public_key=self.recorder.public_key)]}
