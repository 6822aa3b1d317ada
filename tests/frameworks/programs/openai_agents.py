"""The OpenAI Agents SDK: its models hold an OpenAI client."""

import asyncio
import os

from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool
from langfuse import Langfuse
from openai import AsyncOpenAI
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="OpenAI Agents SDK",
    packages=("openai-agents", "openinference-instrumentation-openai-agents"),
    tracing="OpenInference: `OpenAIAgentsInstrumentor`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://langfuse.com/integrations/frameworks/openai-agents",
    mechanism="an OpenAI client that `instrument` finds",
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
OpenAIAgentsInstrumentor().instrument()
tracesplice.instrument(gateway=GATEWAY)

client = AsyncOpenAI(base_url=GATEWAY, api_key=KEY)
completions = OpenAIChatCompletionsModel("chat", client)


@function_tool
def weather(city: str) -> str:
    """Say the weather."""
    return f"sunny in {city}"


async def chat(question):
    return (await Runner.run(Agent("helper", model=completions), question)).final_output


async def stream(question):
    run = Runner.run_streamed(Agent("helper", model=completions), question)
    async for _ in run.stream_events():
        pass
    return run.final_output


async def tool(question):
    agent = Agent("helper", model=completions, tools=[weather])
    return (await Runner.run(agent, question)).final_output


async def responses(question):
    agent = Agent("helper", model=OpenAIResponsesModel("openai-chat", client))
    return (await Runner.run(agent, question)).final_output


async def responses_stream(question):
    agent = Agent("helper", model=OpenAIResponsesModel("openai-chat", client), tools=[weather])
    run = Runner.run_streamed(agent, question)
    async for _ in run.stream_events():
        pass
    return run.final_output


def sync_chat(question):
    return Runner.run_sync(Agent("helper", model=completions), question).final_output


async def handoff(question):
    agent = Agent("first", model=completions, handoffs=[Agent("second", model=completions)])
    return (await Runner.run(agent, question)).final_output


async def at_once(question):
    agent = Agent("helper", model=completions)
    runs = await asyncio.gather(*(Runner.run(agent, question) for _ in range(2)))
    return [run.final_output for run in runs]


CALLS = [chat, stream, tool, responses, responses_stream, sync_chat, handoff, at_once]
