"""CrewAI, with models that LiteLLM calls."""

import os

from crewai import LLM, Agent, Crew, Task
from langfuse import Langfuse
from openinference.instrumentation.crewai import CrewAIInstrumentor
from openinference.instrumentation.litellm import LiteLLMInstrumentor

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="CrewAI",
    packages=("crewai", "litellm", "openinference-instrumentation-litellm"),
    tracing="OpenInference: `CrewAIInstrumentor` with `LiteLLMInstrumentor`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://langfuse.com/integrations/frameworks/crewai",
    environment="crewai",
    settings={"CREWAI_TRACING_ENABLED": "false", "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
CrewAIInstrumentor().instrument(skip_dep_check=True)
LiteLLMInstrumentor().instrument()
tracesplice.instrument(gateway=GATEWAY)

options = {"is_litellm": True, "base_url": GATEWAY, "api_key": KEY}
llm = LLM(model="litellm_proxy/chat", **options)
streaming = LLM(model="litellm_proxy/chat", stream=True, **options)


def chat(question):
    return llm.call(question)


def stream(question):
    return streaming.call(question)


async def async_chat(question):
    return await llm.acall(question)


async def async_stream(question):
    return await streaming.acall(question)


def crew(question):
    agent = Agent(role="helper", goal="help", backstory="none", llm=llm)
    task = Task(description=question, expected_output="an answer", agent=agent)
    return Crew(agents=[agent], tasks=[task]).kickoff().raw


CALLS = [chat, stream, async_chat, async_stream, crew]
