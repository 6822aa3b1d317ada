"""An application on LlamaIndex: makes its models, with OpenInference's instrumentor or without."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from llama_index.core import Settings
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai import OpenAI
from llama_index.llms.openai_like import OpenAILike
from openinference.instrumentation.llama_index._handler import _Span

from conformance.harness import UNTRACED
from rig.llama_index_tracing import llama_index_traced
from shapes.framework_application import FrameworkApplication

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shapes.shape import Shape

__all__ = ["OLDER_OPENINFERENCE", "OPENINFERENCE", "WARNINGS", "LlamaIndexApplication"]

# LlamaIndex and OpenInference look at attributes that pydantic calls deprecated.
WARNINGS = [pytest.mark.filterwarnings("ignore::DeprecationWarning")]
OPENINFERENCE = "OpenInference"
OLDER_OPENINFERENCE = "OpenInference before 4.6.1"  # makes no span current


class LlamaIndexApplication(FrameworkApplication):
    """Makes LlamaIndex's models, and calls them as one does."""

    name = "LlamaIndex"

    async def run(self, shape: Shape) -> Any:
        """Return the shape's answer."""
        with ExitStack() as around:
            around.callback(_assign, Settings._llm, Settings._embed_model)
            if self._tracer == OLDER_OPENINFERENCE:
                around.enter_context(mock.patch.object(_Span, "attach_context", create=True))
            if self._tracer != UNTRACED:
                around.enter_context(llama_index_traced(self._stage.provider))
            if not self.is_async:
                around.enter_context(self._own_loop())
            async with self._clients:
                return await shape.run(self)

    def plain_model(self, model: str = "", kind: Any = OpenAILike, **more: Any) -> Any:
        """A model, not spliced; of OpenAI's own classes, one they know."""
        options = {"max_retries": 0, **self._access(), **more}
        if issubclass(kind, OpenAI):
            extra = self.given({"extra_body": {"metadata": {"team": "blue"}}})
            options = {"additional_kwargs": extra, **options}
        if not issubclass(kind, OpenAILike):
            return kind(model="gpt-4o-mini", **options)
        known = {"is_chat_model": True, "is_function_calling_model": True}
        return kind(model=model or "chat", **{**known, **options})

    def model(self, model: str = "", kind: Any = OpenAILike, **more: Any) -> Any:
        """A spliced model."""
        return self.splice(self.plain_model(model, kind, **more))

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
        sync, asynchronous = self._http_clients()
        if not self.is_async:
            self._clients.callback(lambda: self._loop.run_until_complete(asynchronous.aclose()))
        return {
            "api_base": f"{self.gateway.url}/v1",
            "api_key": self.gateway.key,
            "http_client": sync,
            "async_http_client": asynchronous,
        }


def _assign(llm: Any, embed_model: Any) -> None:
    Settings._llm, Settings._embed_model = llm, embed_model
