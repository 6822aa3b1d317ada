"""A LlamaIndex agent with a tool: every call of its model is in the agent's trace."""

import asyncio
import os

from langfuse import Langfuse
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai_like import OpenAILike
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

import tracesplice


def weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"It is sunny in {city}."


async def main() -> None:
    """Have the agent call its tool and answer."""
    tracer = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
    LlamaIndexInstrumentor().instrument()
    llm = tracesplice.splice(
        OpenAILike(
            api_base=os.environ["LITELLM_PROXY_API_BASE"],
            api_key=os.environ["LITELLM_PROXY_API_KEY"],
            model=os.environ.get("TRACESPLICE_MODEL", "chat"),
            is_chat_model=True,
            is_function_calling_model=True,
        )
    )
    agent = FunctionAgent(tools=[weather], llm=llm)
    print(await agent.run("How is the weather in Oslo?"))
    tracer.flush()


asyncio.run(main())
