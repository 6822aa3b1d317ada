"""Haystack pipelines, traced by Langfuse's connector."""

import os

from haystack import Pipeline
from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import tool
from haystack.utils import Secret
from haystack_integrations.components.connectors.langfuse import LangfuseConnector
from langfuse import Langfuse

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="Haystack",
    packages=("haystack-ai", "langfuse-haystack"),
    tracing="Langfuse's connector: `LangfuseConnector`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://haystack.deepset.ai/integrations/langfuse",
    environment="haystack",
    settings={"HAYSTACK_TELEMETRY_ENABLED": "False", "HAYSTACK_CONTENT_TRACING_ENABLED": "true"},
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
tracesplice.instrument(gateway=GATEWAY)


@tool
def weather(city: str) -> str:
    """Say the weather."""
    return f"sunny in {city}"


def pipeline(component):
    made = Pipeline()
    made.add_component("tracer", LangfuseConnector("assistant"))
    made.add_component("llm", component)
    return made


def generator(**options):
    key = Secret.from_token(KEY)
    return OpenAIChatGenerator(model="openai-chat", api_base_url=GATEWAY, api_key=key, **options)


def asked(question):
    return {"llm": {"messages": [ChatMessage.from_user(question)]}}


def chat(question):
    return pipeline(generator()).run(asked(question))["llm"]["replies"][0].text


def stream(question):
    parts = []
    streaming = generator(streaming_callback=lambda part: parts.append(part.content))
    pipeline(streaming).run(asked(question))
    return "".join(parts)


def agent_with_a_tool(question):
    agent = Agent(chat_generator=generator(), tools=[weather])
    return pipeline(agent).run(asked(question))["llm"]["last_message"].text


async def async_chat(question):
    answer = await pipeline(generator()).run_async(asked(question))
    return answer["llm"]["replies"][0].text


CALLS = [chat, stream, agent_with_a_tool, async_chat]
