"""Calls of LangChain's models, to be looked at on the wire."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

import tracesplice
from faults.wire import links

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse.langchain import CallbackHandler

    from rig.model import ModelServer

__all__ = ["KINDS", "Watch", "call", "model_of", "parents"]

KINDS = pytest.mark.parametrize("kind", ["invoke", "ainvoke", "stream", "astream"])


class Watch(BaseCallbackHandler):
    """Remembers the observation that Langfuse's handler has for the run of a model."""

    def __init__(self, handler: CallbackHandler) -> None:
        self.handler = handler
        self.run_inline = True  # before any other
        self.id: str | None = None

    def on_llm_end(self, *_: Any, run_id: Any, **__: Any) -> None:
        self.id = self.handler._runs[run_id].id


def model_of(wire: ModelServer, make: Any = ChatOpenAI, **options: Any) -> Any:
    defaults = {"max_retries": 0, "model": "gpt-4o-mini"}
    url = f"{wire.url}/v1"
    return make(base_url=url, api_key=SecretStr("sk-any"), **{**defaults, **options})


def call(
    wire: ModelServer,
    kind: str = "invoke",
    callbacks: Any = (),
    splice: Callable[[Any], Any] = tracesplice.splice,
    config: dict[str, Any] | None = None,
    **options: Any,
) -> None:
    """Call a model in one of four ways."""
    given = {"callbacks": list(callbacks), **(config or {})}
    if kind.startswith("a"):
        asyncio.run(_acall(wire, kind, given, splice, options))
        return
    with openai.DefaultHttpxClient() as http_client:
        model = splice(model_of(wire, http_client=http_client, **options))
        # Two of Langfuse's handlers leave one of their generations current.
        copy_context().run(_ask, model, kind, given)


def _ask(model: Any, kind: str, config: Any) -> None:
    if kind == "invoke":
        model.invoke("hi", config)
    else:
        list(model.stream("hi", config))


async def _acall(
    wire: ModelServer, kind: str, config: Any, splice: Callable[[Any], Any], options: Any
) -> None:
    async with openai.DefaultAsyncHttpxClient() as http_client:
        model = splice(model_of(wire, http_async_client=http_client, **options))
        if kind == "ainvoke":
            await model.ainvoke("hi", config)
            return
        async for _ in model.astream("hi", config):
            pass


def parents(wire: ModelServer) -> list[str | None]:
    return [metadata.get("parent_observation_id") for _, metadata, _ in links(wire)]
