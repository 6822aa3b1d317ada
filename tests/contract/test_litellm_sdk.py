"""The adapter for LiteLLM's SDK keeps to the contract, on the route that no OpenAI client sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm
import pytest

from tracesplice.testing import AdapterContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

# Its modules are imported with calls, and warn when they are.
pytestmark = pytest.mark.filterwarnings("ignore")


class TestResponses(AdapterContract):
    splices = False

    def make(self, url: str, key: str) -> dict[str, str]:
        return {"api_base": f"{url}/v1", "api_key": key, "model": "openai/chat"}

    def call(self, target: Any, question: str, **options: Any) -> Any:
        return litellm.responses(input=question, **target, **options).output[0].content[0].text

    def stream(self, target: Any, question: str) -> Iterable[Any]:
        found: Iterable[Any] = litellm.responses(input=question, stream=True, **target)
        return found

    async def acall(self, target: Any, question: str) -> Any:
        return (await litellm.aresponses(input=question, **target)).output[0].content[0].text

    async def astream(self, target: Any, question: str) -> AsyncIterator[Any]:
        found: AsyncIterator[Any] = await litellm.aresponses(input=question, stream=True, **target)
        return found

    def call_with(
        self, target: Any, question: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Any:
        return self.call(target, question, extra_body=body, extra_headers=headers)

    def move(self, target: Any, url: str) -> Any:
        return {**target, "api_base": f"{url}/v1"}
