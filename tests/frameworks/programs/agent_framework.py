"""Microsoft Agent Framework, with OpenTelemetry spans of its own."""

import asyncio
import os

from agent_framework import Agent
from agent_framework.observability import enable_instrumentation
from agent_framework.openai import OpenAIChatClient, OpenAIChatCompletionClient
from langfuse import Langfuse

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="Microsoft Agent Framework",
    packages=("agent-framework-core", "agent-framework-openai"),
    tracing="its own: `enable_instrumentation(enable_sensitive_data=True)`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://langfuse.com/integrations/frameworks/microsoft-agent-framework",
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
enable_instrumentation(enable_sensitive_data=True)
tracesplice.instrument(gateway=GATEWAY)

completions = OpenAIChatCompletionClient("chat", base_url=GATEWAY, api_key=KEY)
responses_client = OpenAIChatClient("openai-chat", base_url=GATEWAY, api_key=KEY)


def weather(city: str) -> str:
    """Say the weather."""
    return f"sunny in {city}"


async def chat(question):
    return (await Agent(completions).run(question)).text


async def stream(question):
    parts = Agent(completions).run(question, stream=True)
    return "".join([part.text async for part in parts])


async def tool(question):
    return (await Agent(completions, tools=[weather]).run(question)).text


async def responses(question):
    return (await Agent(responses_client).run(question)).text


async def responses_stream(question):
    parts = Agent(responses_client).run(question, stream=True)
    return "".join([part.text async for part in parts])


async def at_once(question):
    agents = [Agent(completions, name=name) for name in ("one", "two")]
    answers = await asyncio.gather(*(agent.run(question) for agent in agents))
    return [answer.text for answer in answers]


CALLS = [chat, stream, tool, responses, responses_stream, at_once]
