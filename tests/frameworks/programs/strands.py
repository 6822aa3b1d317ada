"""Strands Agents, with OpenTelemetry spans of its own."""

import os

from langfuse import Langfuse
from strands import Agent, tool
from strands.models.openai import OpenAIModel
from strands.multiagent import GraphBuilder

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="Strands Agents",
    packages=("strands-agents",),
    tracing="its own, on as soon as there is a `Langfuse` client",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://langfuse.com/integrations/frameworks/strands-agents",
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
tracesplice.instrument(gateway=GATEWAY)

model = OpenAIModel(client_args={"base_url": GATEWAY, "api_key": KEY}, model_id="openai-chat")


@tool
def weather(city: str) -> str:
    """Say the weather."""
    return f"sunny in {city}"


def agent(model=model, **more):
    return Agent(model, callback_handler=None, **more)


def chat(question):
    return agent()(question)


def with_a_tool(question):
    return agent(tools=[weather])(question)


async def async_chat(question):
    return await agent().invoke_async(question)


async def stream(question):
    return "".join([part.get("data", "") async for part in agent().stream_async(question)])


def graph(question):
    builder = GraphBuilder()
    for name in ("one", "two"):
        builder.add_node(agent(name=name), name)
    return [str(each.result) for each in builder.build()(question).results.values()]


CALLS = [chat, stream, with_a_tool, async_chat, graph]
