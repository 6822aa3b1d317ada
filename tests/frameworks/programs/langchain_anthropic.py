"""LangChain's ChatAnthropic, which calls Anthropic's SDK."""

import os

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langfuse import Langfuse
from langfuse.langchain import CallbackHandler

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="LangChain `ChatAnthropic`",
    packages=("langchain-anthropic", "anthropic"),
    tracing="Langfuse's `CallbackHandler`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://langfuse.com/integrations/frameworks/langchain",
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
tracesplice.instrument(gateway=GATEWAY)
llm = ChatAnthropic(model="claude", base_url=GATEWAY, api_key=KEY)


def traced():
    return {"callbacks": [CallbackHandler()]}


def weather(city: str) -> str:
    """Say the weather."""
    return f"sunny in {city}"


def text(message):
    content = message.content
    return (
        content if isinstance(content, str) else "".join(each.get("text", "") for each in content)
    )


def chat(question):
    return text(llm.invoke(question, traced()))


def stream(question):
    return "".join(text(part) for part in llm.stream(question, traced()))


async def async_chat(question):
    return text(await llm.ainvoke(question, traced()))


async def async_stream(question):
    return "".join([text(part) async for part in llm.astream(question, traced())])


def agent_with_a_tool(question):
    agent = create_agent(llm, [weather])
    return text(agent.invoke({"messages": [("user", question)]}, traced())["messages"][-1])


CALLS = [chat, stream, async_chat, async_stream, agent_with_a_tool]
