"""Calls of LangChain's models, to be looked at on the wire."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_openai import ChatOpenAI
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from pydantic import SecretStr

import tracesplice
from faults.wire import links

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langfuse.langchain import CallbackHandler

    from tracesplice_testing.model import ModelServer

__all__ = [
    "ASYNC",
    "KINDS",
    "AnyModel",
    "ask",
    "begun",
    "call",
    "ids",
    "model_of",
    "openinference",
    "parents",
]

KINDS = pytest.mark.parametrize("kind", ["invoke", "ainvoke", "stream", "astream"])
ASYNC = pytest.mark.parametrize("kind", ["ainvoke", "astream"])


class AnyModel(BaseChatModel):
    """A model that asks nobody."""

    @property
    def _llm_type(self) -> str:
        return "any"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage("ok"))])


def begun(handler: CallbackHandler) -> list[Any]:
    """The spans of the observations that Langfuse's handler makes from now on."""
    spans: list[Any] = []
    attach: Any = handler._attach_observation

    def note(run_id: Any, observation: Any) -> None:
        spans.append(observation._otel_span)
        attach(run_id, observation)

    handler._attach_observation = note  # type: ignore[method-assign]
    return spans


class _Started(SpanProcessor):
    def __init__(self) -> None:
        self.spans: list[Any] = []

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.spans.append(span)


@contextmanager
def openinference() -> Iterator[list[Any]]:
    """Traces with OpenInference; gives the spans that it makes."""
    started, provider = _Started(), TracerProvider()
    provider.add_span_processor(started)
    LangChainInstrumentor().instrument(tracer_provider=provider)
    try:
        yield started.spans
    finally:
        LangChainInstrumentor().uninstrument()


def ids(spans: list[Any]) -> list[str]:
    return [trace.format_span_id(each.get_span_context().span_id) for each in spans]


def model_of(wire: ModelServer, make: Any = ChatOpenAI, **options: Any) -> Any:
    """A model of ``wire`` that keeps no connection open."""
    headers = {"connection": "close", **options.pop("default_headers", {})}
    defaults = {"max_retries": 0, "model": "gpt-4o-mini", "default_headers": headers}
    url = f"{wire.url}/v1"
    return make(base_url=url, api_key=SecretStr("sk-any"), **{**defaults, **options})


def ask(model: Any, kind: str, config: Any = None, text: str = "hi", /, **options: Any) -> None:
    """Call a model in one of four ways."""

    async def aask() -> None:
        if kind == "ainvoke":
            await model.ainvoke(text, config, **options)
        else:
            async for _ in model.astream(text, config, **options):
                pass

    def ask_now() -> None:
        if kind == "invoke":
            model.invoke(text, config, **options)
        else:
            list(model.stream(text, config, **options))

    if kind.startswith("a"):
        asyncio.run(aask())
    else:
        # Two of Langfuse's handlers leave one of their generations current.
        copy_context().run(ask_now)


def call(wire: ModelServer, kind: str = "invoke", callbacks: Any = (), **options: Any) -> None:
    """Call a new spliced model."""
    ask(tracesplice.splice(model_of(wire, **options)), kind, {"callbacks": list(callbacks)})


def parents(wire: ModelServer) -> list[str | None]:
    return [metadata.get("parent_observation_id") for _, metadata, _ in links(wire)]
