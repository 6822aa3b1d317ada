"""The Anthropic adapter keeps to the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic

from tracesplice.testing import AdapterContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping


class TestAnthropic(AdapterContract):
    package = "anthropic"

    def make(self, url: str, key: str) -> anthropic.Anthropic:
        return anthropic.Anthropic(base_url=url, api_key=key, max_retries=0)

    def call(self, target: Any, question: str, **options: Any) -> Any:
        return self.message(target, question, **options).content[0].text

    def stream(self, target: Any, question: str) -> Iterable[Any]:
        found: Iterable[Any] = self.message(target, question, stream=True)
        return found

    def make_async(self, url: str, key: str) -> anthropic.AsyncAnthropic:
        return anthropic.AsyncAnthropic(base_url=url, api_key=key, max_retries=0)

    async def acall(self, target: Any, question: str) -> Any:
        return (await self.message(target, question)).content[0].text

    async def astream(self, target: Any, question: str) -> AsyncIterator[Any]:
        found: AsyncIterator[Any] = await self.message(target, question, stream=True)
        return found

    def call_with(
        self, target: Any, question: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Any:
        return self.call(target, question, extra_body=body, extra_headers=headers)

    def move(self, target: Any, url: str) -> Any:
        target.base_url = url
        return target

    def derive(self, target: Any) -> Iterable[Any]:
        return [target.with_options(timeout=9), target.copy()]

    def message(self, target: Any, question: str, **options: Any) -> Any:
        messages = self.written([{"role": "user", "content": question}])
        return target.messages.create(model="claude", max_tokens=9, messages=messages, **options)
