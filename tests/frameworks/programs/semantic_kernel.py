"""Semantic Kernel, with OpenTelemetry spans of its own."""

import asyncio
import os

from langfuse import Langfuse
from langfuse.span_filter import is_default_export_span
from openai import AsyncOpenAI
from semantic_kernel import Kernel
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.functions import kernel_function

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="Semantic Kernel",
    packages=("semantic-kernel",),
    tracing="its own, switched on by an environment variable",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://learn.microsoft.com/semantic-kernel/concepts/enterprise-readiness/observability/",
    note=(
        "`export SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE=true`. "
        "Agents need a `should_export_span` as in the program."
    ),
    settings={"SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE": "true"},
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]


def exported(span):
    # Langfuse leaves out a span that is around the calls of an agent.
    return is_default_export_span(span) or span.instrumentation_scope.name.startswith("semantic_k")


langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once(), should_export_span=exported)
tracesplice.instrument(gateway=GATEWAY)

service = OpenAIChatCompletion(
    "openai-chat", async_client=AsyncOpenAI(base_url=GATEWAY, api_key=KEY)
)
kernel = Kernel(services=service)


class Weather:
    """A plugin."""

    @kernel_function
    def weather(self, city: str) -> str:
        """Say the weather."""
        return f"sunny in {city}"


async def chat(question):
    return await kernel.invoke_prompt(question)


async def stream(question):
    parts = kernel.invoke_prompt_stream(question)
    return "".join([str(part) async for each in parts for part in each])


async def agents_at_once(question):
    agents = [ChatCompletionAgent(service=service, name=name) for name in ("one", "two")]
    answers = [agent.get_response(messages=question) for agent in agents]
    return [str(answer) for answer in await asyncio.gather(*answers)]


async def agent_with_a_tool(question):
    agent = ChatCompletionAgent(service=service, name="helper", plugins=[Weather()])
    return await agent.get_response(messages=question)


CALLS = [chat, stream, agent_with_a_tool, agents_at_once]
