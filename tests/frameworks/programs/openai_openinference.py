"""The OpenAI SDK, traced by OpenInference."""

import os

from langfuse import Langfuse
from openai import AsyncOpenAI, OpenAI
from openinference.instrumentation.openai import OpenAIInstrumentor

import tracesplice
from frameworks.about import About
from frameworks.programs._openai_calls import calls

ABOUT = About(
    library="OpenAI SDK",
    packages=("openai", "openinference-instrumentation-openai"),
    tracing="OpenInference: `OpenAIInstrumentor`",
    line="client = tracesplice.splice(client)",
    set_up="https://arize-ai.github.io/openinference/python/instrumentation/openinference-instrumentation-openai",
    environment="openai",
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
OpenAIInstrumentor().instrument()
client = tracesplice.splice(OpenAI(base_url=GATEWAY, api_key=KEY))
async_client = tracesplice.splice(AsyncOpenAI(base_url=GATEWAY, api_key=KEY))

CALLS = calls(client, async_client)
