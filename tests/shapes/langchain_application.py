"""An application on LangChain: makes its models, and passes Langfuse's handler in the config."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any

from langchain_openai import AzureChatOpenAI, ChatOpenAI, OpenAI, OpenAIEmbeddings
from langfuse.langchain import CallbackHandler
from openinference.instrumentation.langchain import LangChainInstrumentor
from pydantic import SecretStr

from shapes.framework_application import FrameworkApplication

if TYPE_CHECKING:
    from shapes.shape import Shape

__all__ = ["HANDLER", "OPENINFERENCE", "LangChainApplication"]

HANDLER = "CallbackHandler"
OPENINFERENCE = "OpenInference"


class LangChainApplication(FrameworkApplication):
    """Makes LangChain's models, and calls them as one does."""

    name = "LangChain"

    async def run(self, shape: Shape) -> Any:
        """Return the shape's answer."""
        with ExitStack() as tracing:
            if self._tracer == OPENINFERENCE:
                instrumentor = LangChainInstrumentor()
                instrumentor.instrument(tracer_provider=self._stage.provider)
                tracing.callback(instrumentor.uninstrument)
            async with self._clients:
                return await shape.run(self)

    @cached_property
    def handler(self) -> CallbackHandler:
        return CallbackHandler(public_key=self._stage.recorder.public_key)

    @property
    def callbacks(self) -> list[Any]:
        """What the application passes as callbacks."""
        return [self.handler] if self._tracer == HANDLER else []

    def config(self, **more: Any) -> Any:
        """The config of a call."""
        # LangChain's completion models do not take an empty list.
        return self.given({"callbacks": self.callbacks or None, **more})

    def plain_model(self, model: str = "chat", **options: Any) -> Any:
        """A chat model, not spliced."""
        extra = self.given({"metadata": {"team": "blue"}})
        return ChatOpenAI(
            base_url=self.gateway.url,
            api_key=SecretStr(self.gateway.key),
            model=model,
            **{"extra_body": extra, "max_retries": 0, **options},
            **self._with_http_clients(),
        )

    def model(self, model: str = "chat", **options: Any) -> Any:
        """A spliced chat model."""
        return self.splice(self.plain_model(model, **options))

    def azure_model(self) -> Any:
        """A spliced chat model of Azure's, at the gateway."""
        return self.splice(
            AzureChatOpenAI(
                azure_endpoint=self.gateway.url,
                api_key=SecretStr(self.gateway.key),
                azure_deployment="chat",
                api_version="2024-10-21",
                **self._with_http_clients(),
            )
        )

    def completion_model(self) -> Any:
        """A spliced model of the old completions."""
        return self.splice(
            OpenAI(
                base_url=self.gateway.url,
                api_key=SecretStr(self.gateway.key),
                model="openai-completion",
                max_retries=0,
                **self._with_http_clients(),
            )
        )

    def embeddings(self) -> Any:
        """A spliced embedding model; it counts tokens with a table from the network if it may."""
        return self.splice(
            OpenAIEmbeddings(
                base_url=self.gateway.url,
                api_key=SecretStr(self.gateway.key),
                model="openai-embed",
                check_embedding_ctx_length=False,
                **self._with_http_clients(),
            )
        )

    def _with_http_clients(self) -> dict[str, Any]:
        clients = zip(("http_client", "http_async_client"), self._http_clients(), strict=True)
        return {"timeout": 60.0, **dict(clients)}  # to connect, too: 5 seconds otherwise
