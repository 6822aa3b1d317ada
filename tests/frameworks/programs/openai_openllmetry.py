"""The OpenAI SDK, traced by OpenLLMetry."""

import os

from langfuse import Langfuse
from openai import AsyncOpenAI, OpenAI
from opentelemetry.instrumentation.openai import OpenAIInstrumentor

import tracesplice
from frameworks.about import About, Limit
from frameworks.programs._openai_calls import calls

ABOUT = About(
    library="OpenAI SDK",
    packages=("openai", "opentelemetry-instrumentation-openai"),
    tracing="OpenLLMetry: `OpenAIInstrumentor`",
    line="client = tracesplice.splice(client)",
    set_up="https://github.com/traceloop/openllmetry/tree/main/packages/opentelemetry-instrumentation-openai",
    environment="openai",
    limits=(
        Limit(
            "bgh",
            "it makes the span after the call, which then counts twice; trace with another one.",
            ("responses", "responses_stream"),
        ),
    ),
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
OpenAIInstrumentor().instrument()
client = tracesplice.splice(OpenAI(base_url=GATEWAY, api_key=KEY))
async_client = tracesplice.splice(AsyncOpenAI(base_url=GATEWAY, api_key=KEY))

CALLS = calls(client, async_client)
