"""AG2, with the OpenTelemetry spans of its own."""

import os

from ag2 import Agent, tool
from ag2.config import OpenAIConfig, OpenAIResponsesConfig
from ag2.middleware.builtin import TelemetryMiddleware
from langfuse import Langfuse

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="AG2",
    packages=("ag2",),
    tracing="its own: `TelemetryMiddleware`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://docs.ag2.ai/latest/docs/user-guide/tracing/opentelemetry/",
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
tracesplice.instrument(gateway=GATEWAY)

traced = TelemetryMiddleware(agent_name="helper", provider_name="openai")


def config(kind=OpenAIConfig, **settings):
    return kind(model="openai-chat", base_url=GATEWAY, api_key=KEY, **settings)


@tool
def weather(city: str) -> str:
    """Say the weather."""
    return f"sunny in {city}"


async def ask(question, *, tools=(), **settings):
    agent = Agent("helper", config=config(**settings), tools=tools, middleware=[traced])
    return (await agent.ask(question)).body


async def chat(question):
    return await ask(question)


async def stream(question):
    return await ask(question, streaming=True)


async def with_a_tool(question):
    return await ask(question, tools=[weather])


async def responses(question):
    return await ask(question, kind=OpenAIResponsesConfig)


CALLS = [chat, stream, with_a_tool, responses]
