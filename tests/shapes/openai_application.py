"""An application on the plain OpenAI SDK."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import openai

from shapes.either import TLS, entered
from shapes.openai_shapes import Ask
from shapes.shape import OWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.harness import Cell, Stage
    from shapes.shape import Shape

__all__ = ["OpenAIApplication"]

_KINDS: dict[tuple[bool, bool], Any] = {
    (False, False): openai.OpenAI,
    (False, True): openai.AsyncOpenAI,
    (True, False): openai.AzureOpenAI,
    (True, True): openai.AsyncAzureOpenAI,
}


class OpenAIApplication:
    """Makes a client, and hands it to the shape."""

    name = "OpenAI SDK"

    def __init__(self, stage: Stage, cell: Cell, splice: Callable[[Any], Any]) -> None:
        own = OWN in cell.prompts
        self._ask = Ask(prompt={"langfuse_prompt": stage.prompts[OWN]} if own else {})
        self._before = copy.deepcopy(self._ask.extra)
        gateway = stage.address(cell.mode)
        azure = cell.shape.name.startswith("AzureOpenAI")
        kind = _KINDS[azure, cell.is_async]
        http: Any = openai.DefaultAsyncHttpxClient if cell.is_async else openai.DefaultHttpxClient
        where = (
            {"azure_endpoint": gateway.url, "api_version": "2024-10-21"}
            if azure
            else {"base_url": gateway.url}
        )
        client = kind(
            api_key=gateway.key,
            max_retries=0,  # a call made twice is reported twice
            timeout=60.0,  # to connect, too, which is 5 seconds otherwise: little on a busy machine
            http_client=http(verify=TLS),
            **where,
        )
        self._client = splice(client)

    async def run(self, shape: Shape) -> Any:
        """Return the shape's answer."""
        async with entered(self._client):
            return await shape.run(self._client, self._ask)

    def changed(self) -> str | None:
        """Return what became of the caller's objects, or None if they are what they were."""
        extra = self._ask.extra
        return None if extra == self._before else f"{extra!r} was {self._before!r}"
