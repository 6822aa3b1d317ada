"""CrewAI, whose own provider for OpenAI holds the clients."""

import os

from crewai import LLM, Agent
from crewai.tools import tool as as_tool
from langfuse import Langfuse
from openinference.instrumentation.crewai import CrewAIInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="CrewAI",
    packages=("crewai", "openinference-instrumentation-crewai"),
    tracing="OpenInference: `CrewAIInstrumentor` with `OpenAIInstrumentor`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://langfuse.com/integrations/frameworks/crewai",
    note="`CrewAIInstrumentor` alone makes no generation.",
    settings={"CREWAI_TRACING_ENABLED": "false", "OTEL_SDK_DISABLED": "false"},
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
CrewAIInstrumentor().instrument(skip_dep_check=True)
OpenAIInstrumentor().instrument()
tracesplice.instrument(gateway=GATEWAY)

llm = LLM(model="openai/gpt-4o-mini", base_url=GATEWAY, api_key=KEY)
streaming = LLM(model="openai/gpt-4o-mini", base_url=GATEWAY, api_key=KEY, stream=True)
responding = LLM(model="openai/gpt-4o-mini", base_url=GATEWAY, api_key=KEY, api="responses")


@as_tool("weather")
def weather(city: str) -> str:
    """Say the weather."""
    return f"sunny in {city}"


def agent(llm, *tools):
    return Agent(role="helper", goal="help", backstory="none", llm=llm, tools=[*tools])


def chat(question):
    return llm.call(question)


def stream(question):
    return streaming.call(question)


async def async_chat(question):
    return await llm.acall(question)


def responses(question):
    return responding.call(question)


def agent_with_a_tool(question):
    return agent(llm, weather).kickoff(question).raw


async def async_agent(question):
    return (await agent(llm).kickoff_async(question)).raw


CALLS = [chat, stream, async_chat, responses, agent_with_a_tool, async_agent]
