"""pydantic-ai has no adapter; `instrument` reaches the OpenAI client it ends in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import openai
import pytest
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from libraries.conftest import Application


def with_agent(
    application: Application, kind: Any, model: str, use: Callable[[Any], Awaitable[Any]]
) -> Any:
    gateway = application.gateway

    async def run() -> Any:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key) as client:
            return await use(Agent(kind(model, provider=OpenAIProvider(openai_client=client))))

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("kind", "model"), [(OpenAIChatModel, "chat"), (OpenAIResponsesModel, "openai-chat")]
)
def test_run(
    application: Application, check_linked: Callable[[Any], None], kind: Any, model: str
) -> None:
    with application.span() as span:
        result = with_agent(application, kind, model, lambda agent: agent.run("hello"))
    assert result.output == "echo: hello"
    trace = application.the_one_trace(span, calls=1)
    check_linked(trace)
    assert {each.parent_id for each in trace.observations[1:]} == {span.id}


def test_stream(application: Application, check_linked: Callable[[Any], None]) -> None:
    async def stream(agent: Any) -> Any:
        async with agent.run_stream("hello") as result:
            return await result.get_output()

    with application.span() as span:
        assert with_agent(application, OpenAIChatModel, "chat", stream) == "echo: hello"
    check_linked(application.the_one_trace(span, calls=1))


def test_tool(application: Application, check_linked: Callable[[Any], None]) -> None:
    async def ask(agent: Any) -> Any:
        @agent.tool_plain
        def weather(city: str) -> str:
            return f"sunny in {city}"

        return await agent.run("hello")

    with application.span() as span:
        with_agent(application, OpenAIChatModel, "tools", ask)
    check_linked(application.the_one_trace(span, calls=2))
