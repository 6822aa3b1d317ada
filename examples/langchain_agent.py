"""A LangGraph agent with a tool: every call of its model is in the agent's trace."""

import os

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI
from langfuse import Langfuse
from langfuse.langchain import CallbackHandler
from pydantic import SecretStr

import tracesplice


def weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"It is sunny in {city}."


tracer = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
llm = tracesplice.splice(
    ChatOpenAI(
        base_url=os.environ["LITELLM_PROXY_API_BASE"],
        api_key=SecretStr(os.environ["LITELLM_PROXY_API_KEY"]),
        model=os.environ.get("TRACESPLICE_MODEL", "chat"),
    )
)
agent = create_agent(llm, [weather])
config: RunnableConfig = {"callbacks": [CallbackHandler()]}
state = agent.invoke({"messages": [HumanMessage("How is the weather in Oslo?")]}, config)
print(state["messages"][-1].text)
tracer.flush()
