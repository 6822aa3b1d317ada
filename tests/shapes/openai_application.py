"""An application on the plain OpenAI SDK."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import openai

from shapes.either import TLS, entered
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
_WRITTEN = {"extra_body": {"metadata": {"team": "blue"}}, "extra_headers": {"x-team": "blue"}}


class OpenAIApplication:
    """What a shape makes its calls with.

    Attributes:
        client: The client, spliced.
        extra: Keyword arguments of every call: metadata and a header of the caller's own.
        prompt: Keyword arguments that name a prompt, where the client takes any.
    """

    name = "OpenAI SDK"
    enclosing: str | None = None

    def __init__(self, stage: Stage, cell: Cell, splice: Callable[[Any], Any]) -> None:
        self.extra: Any = copy.deepcopy(_WRITTEN)
        own = OWN in cell.prompts
        self.prompt = {"langfuse_prompt": stage.prompts[OWN]} if own else {}
        gateway = stage.address(cell.mode)
        azure = cell.shape.name.startswith("AzureOpenAI")
        http: Any = openai.DefaultAsyncHttpxClient if cell.is_async else openai.DefaultHttpxClient
        where = (
            {"azure_endpoint": gateway.url, "api_version": "2024-10-21"}
            if azure
            else {"base_url": gateway.url}
        )
        client = _KINDS[azure, cell.is_async](
            api_key=gateway.key,
            max_retries=0,  # a call made twice is reported twice
            timeout=60.0,  # to connect, too, which is 5 seconds otherwise: little on a busy machine
            http_client=http(verify=TLS),
            **where,
        )
        self.client = splice(client)

    async def run(self, shape: Shape) -> Any:
        """Return the shape's answer."""
        async with entered(self.client):
            return await shape.run(self)

    def changed(self) -> str | None:
        """Return what became of the caller's objects, or None if they are what they were."""
        return None if self.extra == _WRITTEN else f"{self.extra!r} was {_WRITTEN!r}"
