"""LlamaIndex's LiteLLM, which calls LiteLLM's SDK."""

import os

from langfuse import Langfuse
from llama_index.core.llms import ChatMessage
from llama_index.llms.litellm import LiteLLM
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="LlamaIndex `LiteLLM`",
    packages=("llama-index-llms-litellm", "litellm", "openinference-instrumentation-llama-index"),
    tracing="OpenInference: `LlamaIndexInstrumentor`",
    line="llm = tracesplice.splice(llm)",
    set_up="https://langfuse.com/integrations/frameworks/llamaindex",
    settings={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
LlamaIndexInstrumentor().instrument()
llm = LiteLLM(model="litellm_proxy/openai-chat", api_base=GATEWAY, api_key=KEY)
llm = tracesplice.splice(llm)


def said(question):
    return [ChatMessage(role="user", content=question)]


def weather(city: str) -> str:
    """Say the weather."""
    return f"sunny in {city}"


def chat(question):
    return llm.chat(said(question)).message.content


def stream(question):
    return "".join(part.delta or "" for part in llm.stream_chat(said(question)))


async def async_chat(question):
    return (await llm.acomplete(question)).text


async def async_stream(question):
    parts = await llm.astream_complete(question)
    return "".join([part.delta or "" async for part in parts])


CALLS = [chat, stream, async_chat, async_stream]
