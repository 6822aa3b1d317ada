"""An application on LangChain: makes its models, and passes Langfuse's handler in the config."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any

import openai
from langchain_openai import AzureChatOpenAI, ChatOpenAI, OpenAIEmbeddings
from langfuse.langchain import CallbackHandler
from openinference.instrumentation.langchain import LangChainInstrumentor
from pydantic import SecretStr

from conformance.either import TLS, each, settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.harness import Cell, Stage
    from conformance.shape import Shape

__all__ = ["HANDLER", "OPENINFERENCE", "LangChainApplication"]

HANDLER = "CallbackHandler"
OPENINFERENCE = "OpenInference"
QUESTION = "question-1"


class LangChainApplication:
    """What a shape makes its models and calls with.

    Attributes:
        prompts: Langfuse's prompts, by name.
        is_async: Whether calls are made with the asynchronous methods.
    """

    name = "LangChain"
    prompts_by_tracer = False

    def __init__(self, stage: Stage, cell: Cell, splice: Callable[[Any], Any]) -> None:
        self.prompts = stage.prompts
        self.is_async = cell.is_async
        self.splice = splice
        self._stage = stage
        self._tracer = cell.tracer
        self._gateway = stage.gateways[cell.mode]
        self._given: list[tuple[Any, str]] = []
        self._clients = AsyncExitStack()

    async def run(self, shape: Shape) -> Any:
        """Return the shape's answer."""
        with ExitStack() as tracing:
            if self._tracer == OPENINFERENCE:
                instrumentor = LangChainInstrumentor()
                instrumentor.instrument(tracer_provider=self._stage.provider)
                tracing.callback(instrumentor.uninstrument)
            async with self._clients:
                return await shape.run(self, None)

    def changed(self) -> str | None:
        """Return what became of the caller's objects, or None if they are what they were."""
        altered = [(given, before) for given, before in self._given if _frozen(given) != before]
        return str(altered) if altered else None

    @cached_property
    def handler(self) -> CallbackHandler:
        return CallbackHandler(public_key=self._stage.recorder.public_key)

    @property
    def callbacks(self) -> list[Any]:
        """What the application passes as callbacks."""
        return [self.handler] if self._tracer == HANDLER else []

    def span(self, name: str) -> Any:
        """A span of the application's own."""
        return self._stage.langfuse.start_as_current_observation(name=name)

    def config(self, **more: Any) -> Any:
        """The config of a call."""
        return self.given({"callbacks": self.callbacks, **more})

    def given(self, value: Any) -> Any:
        """Note an object of the caller's, to see later whether it was altered."""
        self._given.append((value, _frozen(value)))
        return value

    def plain_model(self, model: str = "chat", **options: Any) -> Any:
        """A chat model, not spliced."""
        extra = self.given({"metadata": {"team": "blue"}})
        return ChatOpenAI(
            base_url=self._gateway.url,
            api_key=SecretStr(self._gateway.key),
            model=model,
            **{"extra_body": extra, "max_retries": 0, **options},
            **self._http_clients(),
        )

    def model(self, model: str = "chat", **options: Any) -> Any:
        """A spliced chat model."""
        return self.splice(self.plain_model(model, **options))

    def azure_model(self) -> Any:
        """A spliced chat model of Azure's, at the gateway."""
        return self.splice(
            AzureChatOpenAI(
                azure_endpoint=self._gateway.url,
                api_key=SecretStr(self._gateway.key),
                azure_deployment="chat",
                api_version="2024-10-21",
                **self._http_clients(),
            )
        )

    def embeddings(self) -> Any:
        """A spliced embedding model; it counts tokens with a table from the network if it may."""
        return self.splice(
            OpenAIEmbeddings(
                base_url=self._gateway.url,
                api_key=SecretStr(self._gateway.key),
                model="openai-embed",
                check_embedding_ctx_length=False,
                **self._http_clients(),
            )
        )

    async def call(self, runnable: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of a runnable, or its asynchronous twin."""
        name = f"a{method}" if self.is_async else method
        return await settle(getattr(runnable, name)(*args, **kwargs))

    async def stream(self, runnable: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """Return what a runnable streams."""
        method = runnable.astream if self.is_async else runnable.stream
        return [chunk async for chunk in each(method(*args, **kwargs))]

    def _http_clients(self) -> dict[str, Any]:
        # LangChain shares its own between models and, in vain, between event loops.
        clients = (
            openai.DefaultHttpxClient(verify=TLS),
            openai.DefaultAsyncHttpxClient(verify=TLS),
        )
        self._clients.callback(clients[0].close)
        if self.is_async:
            self._clients.push_async_callback(clients[1].aclose)
        return {"http_client": clients[0], "http_async_client": clients[1]}


def _frozen(value: Any) -> str:
    return json.dumps(value, default=id)
