"""Calls of LlamaIndex's models, to be looked at on the wire."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import openai
import pytest

from faults.wire import links

if TYPE_CHECKING:
    from tracesplice_testing.model import ModelServer

__all__ = ["KINDS", "PROMPT", "call", "parents", "prompts", "template"]

PROMPT = {"name": "own", "version": 3}
KINDS = pytest.mark.parametrize("kind", ["complete", "stream_complete", "acomplete", "astream"])


def template(prompt: Any = PROMPT, text: str = "hi") -> Any:
    """A template that is linked to a prompt."""
    from llama_index.core.prompts import PromptTemplate  # not on openai 3

    return PromptTemplate(text, metadata={"langfuse_prompt": prompt})


def call(model: Any, kind: str) -> None:
    """Call a model in one of four ways."""
    if kind == "complete":
        model.complete("hi")
    elif kind == "stream_complete":
        list(model.stream_complete("hi"))
    else:
        asyncio.run(_acall(model, kind))


async def _acall(model: Any, kind: str) -> None:
    async with openai.DefaultAsyncHttpxClient() as http_client:
        model._async_http_client = http_client
        if kind == "acomplete":
            await model.acomplete("hi")
            return
        async for _ in await model.astream_complete("hi"):
            pass


def parents(wire: ModelServer) -> list[str | None]:
    """The parent of each call the server got."""
    return [metadata.get("parent_observation_id") for _, metadata, _ in links(wire)]


def prompts(wire: ModelServer) -> list[str | None]:
    """The name of the prompt of each call the server got."""
    return [metadata.get("prompt", {}).get("name") for _, metadata, _ in links(wire)]
