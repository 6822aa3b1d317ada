"""The OpenAI Agents SDK has no adapter; `instrument` reaches the OpenAI client it ends in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import agents
import openai
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from libraries.conftest import Application

KINDS = {
    "chat": agents.OpenAIChatCompletionsModel,
    "openai-chat": agents.OpenAIResponsesModel,
}


@agents.function_tool
def weather(city: str) -> str:
    """Say the weather."""
    return f"sunny in {city}"


@pytest.fixture(autouse=True)
def _no_upload() -> None:
    # The SDK would send its own traces to OpenAI.
    agents.set_tracing_disabled(True)


def run(application: Application, model: str, tools: list[Any], stream: bool = False) -> Any:
    gateway = application.gateway

    async def ask() -> Any:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key) as client:
            kind = KINDS["openai-chat" if model == "openai-chat" else "chat"]
            agent = agents.Agent("helper", model=kind(model, client), tools=tools)
            if not stream:
                return (await agents.Runner.run(agent, "hello")).final_output
            result = agents.Runner.run_streamed(agent, "hello")
            async for _ in result.stream_events():
                pass
            return result.final_output

    return asyncio.run(ask())


@pytest.mark.parametrize("model", ["chat", "openai-chat"])
@pytest.mark.parametrize("stream", [False, True])
def test_run(
    application: Application, check_linked: Callable[[Any], None], model: str, stream: bool
) -> None:
    with application.span() as span:
        assert run(application, model, [], stream) == "echo: hello"
    trace = application.the_one_trace(span, calls=1)
    check_linked(trace)
    assert {each.parent_id for each in trace.observations[1:]} == {span.id}


def test_tool(application: Application, check_linked: Callable[[Any], None]) -> None:
    with application.span() as span:
        run(application, "tools", [weather])
    check_linked(application.the_one_trace(span, calls=2))
