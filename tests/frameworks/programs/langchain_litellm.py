"""LangChain's ChatLiteLLM, which calls LiteLLM's SDK."""

import os

from langchain.agents import create_agent
from langchain_litellm import ChatLiteLLM
from langfuse import Langfuse
from langfuse.langchain import CallbackHandler

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="LangChain `ChatLiteLLM`",
    packages=("langchain-litellm", "litellm"),
    tracing="Langfuse's `CallbackHandler`",
    line="llm = tracesplice.splice(llm)",
    set_up="https://langfuse.com/integrations/frameworks/langchain",
    settings={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
llm = ChatLiteLLM(model="litellm_proxy/openai-chat", api_base=GATEWAY, api_key=KEY)
llm = tracesplice.splice(llm)


def traced():
    return {"callbacks": [CallbackHandler()]}


def weather(city: str) -> str:
    """Say the weather."""
    return f"sunny in {city}"


def chat(question):
    return llm.invoke(question, traced()).content


def stream(question):
    return "".join(part.content for part in llm.stream(question, traced()))


async def async_chat(question):
    return (await llm.ainvoke(question, traced())).content


async def async_stream(question):
    return "".join([part.content async for part in llm.astream(question, traced())])


def agent_with_a_tool(question):
    agent = create_agent(llm, [weather])
    return agent.invoke({"messages": [("user", question)]}, traced())["messages"][-1].content


CALLS = [chat, stream, async_chat, async_stream, agent_with_a_tool]
