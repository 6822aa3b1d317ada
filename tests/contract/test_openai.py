"""The OpenAI adapter keeps to the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai

from tracesplice.testing import AdapterContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping


class TestOpenAI(AdapterContract):
    package = "openai"

    def make(self, url: str, key: str) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)

    def call(self, target: Any, question: str, **options: Any) -> Any:
        return self.ask_openai(target, question, **options).choices[0].message.content

    def stream(self, target: Any, question: str) -> Iterable[Any]:
        found: Iterable[Any] = self.ask_openai(target, question, stream=True)
        return found

    def make_async(self, url: str, key: str) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)

    async def acall(self, target: Any, question: str) -> Any:
        return (await self.ask_openai(target, question)).choices[0].message.content

    async def astream(self, target: Any, question: str) -> AsyncIterator[Any]:
        found: AsyncIterator[Any] = await self.ask_openai(target, question, stream=True)
        return found

    def call_with(
        self, target: Any, question: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Any:
        return self.call(target, question, extra_body=body, extra_headers=headers)

    def move(self, target: Any, url: str) -> Any:
        target.base_url = f"{url}/v1"
        return target

    def derive(self, target: Any) -> Iterable[Any]:
        return [target.with_options(timeout=9), target.copy()]

    def ask_openai(self, target: Any, question: str, **options: Any) -> Any:
        messages = [{"role": "user", "content": question}]
        return target.chat.completions.create(model="chat", messages=messages, **options)
