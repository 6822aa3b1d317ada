"""instructor on the OpenAI client of `langfuse.openai`."""

import os

import instructor
from langfuse import Langfuse
from langfuse.openai import AsyncOpenAI, OpenAI

import tracesplice
from frameworks.about import About
from frameworks.programs._instructor_calls import calls

ABOUT = About(
    library="instructor",
    packages=("instructor", "openai", "langfuse"),
    tracing="`langfuse.openai`, Langfuse's own",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://langfuse.com/integrations/frameworks/instructor",
    environment="instructor",
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
tracesplice.instrument(gateway=GATEWAY)

client = instructor.from_openai(OpenAI(base_url=GATEWAY, api_key=KEY))
async_client = instructor.from_openai(AsyncOpenAI(base_url=GATEWAY, api_key=KEY))
CALLS = calls(client, async_client)
