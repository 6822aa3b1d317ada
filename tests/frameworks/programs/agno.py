"""Agno: its models make an OpenAI client."""

import os

from agno.agent import Agent
from agno.models.openai import OpenAIChat, OpenAIResponses
from agno.team import Team
from agno.workflow import Parallel, Step, Workflow
from langfuse import Langfuse
from openinference.instrumentation.agno import AgnoInstrumentor

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="Agno",
    packages=("agno", "openinference-instrumentation-agno"),
    tracing="OpenInference: `AgnoInstrumentor`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://docs.agno.com/observability/langfuse",
    settings={"AGNO_TELEMETRY": "false"},
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
AgnoInstrumentor().instrument()
tracesplice.instrument(gateway=GATEWAY)


def weather(city: str) -> str:
    """Say the weather."""
    return f"sunny in {city}"


def model(kind=OpenAIChat):
    return kind(id="openai-chat", base_url=GATEWAY, api_key=KEY)


def agent(kind=OpenAIChat, **more):
    return Agent(model=model(kind), telemetry=False, **more)


def chat(question):
    return agent().run(question).content


def stream(question):
    return "".join(part.content or "" for part in agent().run(question, stream=True))


def tool(question):
    return agent(tools=[weather]).run(question).content


async def async_chat(question):
    return (await agent().arun(question)).content


async def async_stream(question):
    return "".join([part.content or "" async for part in agent().arun(question, stream=True)])


def responses(question):
    return agent(OpenAIResponses).run(question).content


def team(question):
    members = [agent(name="one"), agent(name="two")]
    return Team(members, model=model(), telemetry=False).run(question).content


def workflow(question):
    both = Parallel(Step("one", agent=agent()), Step("two", agent=agent()), name="both")
    return Workflow(name="asks", steps=[both], telemetry=False).run(question).content


CALLS = [chat, stream, tool, async_chat, async_stream, responses, team, workflow]
