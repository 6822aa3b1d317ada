"""smolagents: its models hold an OpenAI client."""

import os

from langfuse import Langfuse
from openinference.instrumentation.smolagents import SmolagentsInstrumentor
from smolagents import OpenAIModel, ToolCallingAgent, tool

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="smolagents",
    packages=("smolagents", "openinference-instrumentation-smolagents"),
    tracing="OpenInference: `SmolagentsInstrumentor`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://langfuse.com/integrations/frameworks/smolagents",
    mechanism="spans that repeat the usage of the calls in them",
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
SmolagentsInstrumentor().instrument()
tracesplice.instrument(gateway=GATEWAY)

model = OpenAIModel("openai-chat", api_base=GATEWAY, api_key=KEY)


@tool
def weather(city: str) -> str:
    """Say the weather.

    Args:
        city: Where.
    """
    return f"sunny in {city}"


def chat(question):
    return model.generate([{"role": "user", "content": question}]).content


def stream(question):
    parts = model.generate_stream([{"role": "user", "content": question}])
    return "".join(part.content or "" for part in parts)


def agent_with_a_tool(question):
    # The stand-in for a model always calls the first tool, so one step is enough to see it.
    return ToolCallingAgent([weather], model, max_steps=1).run(question)


def team(question):
    helper = ToolCallingAgent([], model, name="helper", description="Helps.", max_steps=1)
    return ToolCallingAgent([], model, managed_agents=[helper], max_steps=1).run(question)


CALLS = [chat, stream, agent_with_a_tool, team]
