"""The OpenAI SDK, traced by Langfuse."""

import os

from langfuse import Langfuse
from langfuse.openai import AsyncOpenAI, OpenAI

import tracesplice
from frameworks.about import About
from frameworks.programs._openai_calls import calls

ABOUT = About(
    library="OpenAI SDK",
    packages=("openai", "langfuse"),
    tracing="`langfuse.openai`, Langfuse's own",
    line="client = tracesplice.splice(client)",
    set_up="https://langfuse.com/integrations/model-providers/openai-py",
    environment="openai",
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
client = tracesplice.splice(OpenAI(base_url=GATEWAY, api_key=KEY))
async_client = tracesplice.splice(AsyncOpenAI(base_url=GATEWAY, api_key=KEY))

CALLS = calls(client, async_client)
