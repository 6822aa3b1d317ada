"""Haystack: its generators hold an OpenAI client."""

import os

from haystack import Pipeline
from haystack.components.agents import Agent
from haystack.components.builders import ChatPromptBuilder
from haystack.components.generators.chat import OpenAIChatGenerator, OpenAIResponsesChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import tool
from haystack.utils import Secret
from langfuse import Langfuse
from openinference.instrumentation.haystack import HaystackInstrumentor

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="Haystack",
    packages=("haystack-ai", "openinference-instrumentation-haystack"),
    tracing="OpenInference: `HaystackInstrumentor`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://langfuse.com/integrations/frameworks/haystack",
    settings={"HAYSTACK_TELEMETRY_ENABLED": "False"},
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
HaystackInstrumentor().instrument()
tracesplice.instrument(gateway=GATEWAY)

options = {"api_base_url": GATEWAY, "api_key": Secret.from_token(KEY)}
generator = OpenAIChatGenerator(model="openai-chat", **options)
responses_generator = OpenAIResponsesChatGenerator(model="openai-chat", **options)


@tool
def weather(city: str) -> str:
    """Say the weather."""
    return f"sunny in {city}"


def chat(question):
    return generator.run([ChatMessage.from_user(question)])["replies"][0].text


def stream(question):
    parts = []
    generator.run(
        [ChatMessage.from_user(question)],
        streaming_callback=lambda part: parts.append(part.content),
    )
    return "".join(parts)


def agent_with_a_tool(question):
    agent = Agent(chat_generator=generator, tools=[weather])
    return agent.run(messages=[ChatMessage.from_user(question)])["last_message"].text


async def async_chat(question):
    return (await generator.run_async([ChatMessage.from_user(question)]))["replies"][0].text


def responses(question):
    return responses_generator.run([ChatMessage.from_user(question)])["replies"][0].text


def pipeline(question):
    made = Pipeline()
    made.add_component("prompt", ChatPromptBuilder([ChatMessage.from_user("{{question}}")]))
    made.add_component("llm", OpenAIChatGenerator(model="openai-chat", **options))
    made.connect("prompt", "llm.messages")
    return made.run({"prompt": {"question": question}})["llm"]["replies"][0].text


CALLS = [chat, stream, agent_with_a_tool, async_chat, responses, pipeline]
