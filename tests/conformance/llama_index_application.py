"""An application on LlamaIndex: makes its models, with OpenInference's instrumentor or without."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import openai
import pytest
from llama_index.core import Settings
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai import OpenAI, OpenAIResponses
from llama_index.llms.openai_like import OpenAILike
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

from conformance.either import TLS, each, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.harness import Cell, Stage
    from conformance.shape import Shape

__all__ = ["OPENINFERENCE", "QUESTION", "WARNINGS", "LlamaIndexApplication"]

# LlamaIndex and OpenInference look at attributes that pydantic calls deprecated.
WARNINGS = [pytest.mark.filterwarnings("ignore::DeprecationWarning")]
OPENINFERENCE = "OpenInference"
QUESTION = "question-1"


class LlamaIndexApplication:
    """What a shape makes its models and calls with.

    Attributes:
        prompts: Langfuse's prompts, by name.
        is_async: Whether calls are made with the asynchronous methods.
        splice: What makes an object's calls carry a link.
    """

    name = "LlamaIndex"
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
        with ExitStack() as around:
            around.callback(_assign, Settings._llm, Settings._embed_model)
            if self._tracer == OPENINFERENCE:
                instrumentor = LlamaIndexInstrumentor()
                instrumentor.instrument(tracer_provider=self._stage.provider)
                around.callback(instrumentor.uninstrument)
            if not self.is_async:
                around.enter_context(self._own_loop())
            async with self._clients:
                return await shape.run(self, None)

    def changed(self) -> str | None:
        """Return what became of the caller's objects, or None if they are what they were."""
        altered = [(given, before) for given, before in self._given if _frozen(given) != before]
        return str(altered) if altered else None

    def span(self, name: str) -> Any:
        """A span of the application's own."""
        return self._stage.langfuse.start_as_current_observation(name=name)

    def given(self, value: Any) -> Any:
        """Note an object of the caller's, to see later whether it was altered."""
        self._given.append((value, _frozen(value)))
        return value

    def plain_model(self, model: str = "chat", kind: type[OpenAI] = OpenAILike, **more: Any) -> Any:
        """A model, not spliced."""
        extra = self.given({"extra_body": {"metadata": {"team": "blue"}}})
        options: dict[str, Any] = {"additional_kwargs": extra, "max_retries": 0, **more}
        if issubclass(kind, OpenAILike):
            options = {"is_chat_model": True, "is_function_calling_model": True, **options}
        return kind(model=model, **{**self._access(), **options})

    def model(self, model: str = "chat", kind: type[OpenAI] = OpenAILike, **more: Any) -> Any:
        """A spliced model."""
        return self.splice(self.plain_model(model, kind, **more))

    def responses_model(self, kind: Any = OpenAIResponses, **more: Any) -> Any:
        """A spliced model of the Responses API."""
        return self.splice(kind(model="gpt-4o-mini", max_retries=0, **self._access(), **more))

    def plain_embeddings(self) -> Any:
        """An embedding model, not spliced."""
        return OpenAILikeEmbedding(
            model_name="text-embedding-3-small", max_retries=0, **self._access()
        )

    def embeddings(self) -> Any:
        """A spliced embedding model."""
        return self.splice(self.plain_embeddings())

    def openai_embeddings(self) -> Any:
        """A spliced embedding model of OpenAI's own class."""
        options = {"model": "text-embedding-3-small", "max_retries": 0, **self._access()}
        return self.splice(OpenAIEmbedding(**options))

    async def call(self, owner: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method, or its asynchronous twin."""
        name = f"a{method}" if self.is_async else method
        return await settle(getattr(owner, name)(*args, **kwargs))

    async def stream(self, owner: Any, method: str, *args: Any, **kwargs: Any) -> list[Any]:
        """Return what a method streams."""
        stream = await self.call(owner, method, *args, **kwargs)
        return [chunk async for chunk in each(stream)]

    @contextmanager
    def _own_loop(self) -> Iterator[None]:
        # LlamaIndex makes one for asynchronous work in synchronous calls, and leaves it open.
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        try:
            yield
        finally:
            asyncio.set_event_loop(None)
            self._loop.close()

    def _access(self) -> dict[str, Any]:
        clients = (
            openai.DefaultHttpxClient(verify=TLS),
            openai.DefaultAsyncHttpxClient(verify=TLS),
        )
        self._clients.callback(clients[0].close)
        if self.is_async:
            self._clients.push_async_callback(clients[1].aclose)
        else:
            self._clients.callback(lambda: self._loop.run_until_complete(clients[1].aclose()))
        return {
            "api_base": f"{self._gateway.url}/v1",
            "api_key": self._gateway.key,
            "http_client": clients[0],
            "async_http_client": clients[1],
        }


def _assign(llm: Any, embed_model: Any) -> None:
    Settings._llm, Settings._embed_model = llm, embed_model


def _frozen(value: Any) -> str:
    return json.dumps(value, default=id)
