"""pydantic-ai, with OpenTelemetry spans of its own."""

import asyncio
import os

from langfuse import Langfuse
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="pydantic-ai",
    packages=("pydantic-ai-slim",),
    tracing="its own: `Agent.instrument_all()`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://langfuse.com/integrations/frameworks/pydantic-ai",
    mechanism="OpenTelemetry spans of the library's own",
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
Agent.instrument_all()
tracesplice.instrument(gateway=GATEWAY)

provider = OpenAIProvider(base_url=GATEWAY, api_key=KEY)
agent = Agent(OpenAIChatModel("chat", provider=provider))
with_a_tool = Agent(OpenAIChatModel("chat", provider=provider))
responses_agent = Agent(OpenAIResponsesModel("openai-chat", provider=provider))


class Answer(BaseModel):
    """What is asked for."""

    city: str


@with_a_tool.tool_plain
def weather(city: str) -> str:
    """Say the weather."""
    return f"sunny in {city}"


async def chat(question):
    return (await agent.run(question)).output


async def stream(question):
    async with agent.run_stream(question) as run:
        return "".join([text async for text in run.stream_text(delta=True)])


async def tool(question):
    return (await with_a_tool.run(question)).output


async def responses(question):
    return (await responses_agent.run(question)).output


async def responses_stream(question):
    async with responses_agent.run_stream(question) as run:
        return "".join([text async for text in run.stream_text(delta=True)])


def sync_chat(question):
    return agent.run_sync(question).output


async def structured_output(question):
    return (await Agent(agent.model, output_type=Answer).run(question)).output


async def at_once(question):
    runs = await asyncio.gather(*(agent.run(question) for _ in range(2)))
    return [run.output for run in runs]


CALLS = [chat, stream, tool, responses, responses_stream, sync_chat, structured_output, at_once]
