"""AG2, with OpenInference's spans of the OpenAI SDK."""

import os

from ag2 import Agent
from ag2.config import OpenAIConfig
from langfuse import Langfuse
from openinference.instrumentation.openai import OpenAIInstrumentor

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="AG2",
    packages=("ag2", "openinference-instrumentation-openai"),
    tracing="OpenInference: `OpenAIInstrumentor`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://langfuse.com/integrations/frameworks/ag2",
    environment="ag2",
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
OpenAIInstrumentor().instrument()
tracesplice.instrument(gateway=GATEWAY)


async def ask(question, **settings):
    config = OpenAIConfig(model="openai-chat", base_url=GATEWAY, api_key=KEY, **settings)
    return (await Agent("helper", config=config).ask(question)).body


async def chat(question):
    return await ask(question)


async def stream(question):
    return await ask(question, streaming=True)


CALLS = [chat, stream]
