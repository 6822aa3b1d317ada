"""The OpenAI SDK, traced by OpenLIT."""

import os

import openlit
from langfuse import Langfuse
from openai import AsyncOpenAI, OpenAI

import tracesplice
from frameworks.about import About
from frameworks.programs._openai_calls import calls

ABOUT = About(
    library="OpenAI SDK",
    packages=("openai", "openlit"),
    tracing="OpenLIT: `openlit.init()`",
    line="client = tracesplice.splice(client)",
    set_up="https://langfuse.com/integrations/native/opentelemetry",
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
openlit.init(disable_metrics=True, disable_events=True)
client = tracesplice.splice(OpenAI(base_url=GATEWAY, api_key=KEY))
async_client = tracesplice.splice(AsyncOpenAI(base_url=GATEWAY, api_key=KEY))

CALLS = calls(client, async_client)
