"""AutoGen: its model client holds an OpenAI client, and its agents have spans of their own."""

import os

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import ModelClientStreamingChunkEvent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.models import UserMessage
from autogen_ext.models.openai import OpenAIChatCompletionClient
from langfuse import Langfuse
from openinference.instrumentation.openai import OpenAIInstrumentor

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="AutoGen",
    packages=("autogen-agentchat", "autogen-ext", "openinference-instrumentation-openai"),
    tracing="its own, and OpenInference: `OpenAIInstrumentor`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://microsoft.github.io/autogen/stable/user-guide/agentchat-user-guide/tracing.html",
    note="For teams, `export AUTOGEN_DISABLE_RUNTIME_TRACING=true`: Langfuse drops those spans.",
    settings={"AUTOGEN_DISABLE_RUNTIME_TRACING": "true"},
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
OpenAIInstrumentor().instrument()
tracesplice.instrument(gateway=GATEWAY)

client = OpenAIChatCompletionClient(
    model="openai-chat",
    base_url=GATEWAY,
    api_key=KEY,
    model_info={
        "vision": False,
        "function_calling": True,
        "json_output": True,
        "structured_output": True,
        "family": "gpt-4o",
    },
)


async def weather(city: str) -> str:
    """Say the weather."""
    return f"sunny in {city}"


async def chat(question):
    return (await client.create([UserMessage(content=question, source="user")])).content


async def agent_with_a_tool(question):
    agent = AssistantAgent("helper", client, tools=[weather], reflect_on_tool_use=True)
    return (await agent.run(task=question)).messages[-1].content


async def stream(question):
    agent = AssistantAgent("helper", client, model_client_stream=True)
    events = agent.run_stream(task=question)
    return "".join(
        [each.content async for each in events if isinstance(each, ModelClientStreamingChunkEvent)]
    )


async def team(question):
    agents = [AssistantAgent(name, client) for name in ("one", "two")]
    result = await RoundRobinGroupChat(agents, max_turns=2).run(task=question)
    return [message.content for message in result.messages]


CALLS = [chat, stream, agent_with_a_tool, team]
