"""instructor, traced by OpenInference, as is the OpenAI client in it."""

import os

import instructor
from langfuse import Langfuse
from openai import AsyncOpenAI, OpenAI
from openinference.instrumentation.instructor import InstructorInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor

import tracesplice
from frameworks.about import About
from frameworks.programs._instructor_calls import calls

ABOUT = About(
    library="instructor",
    packages=(
        "instructor",
        "openinference-instrumentation-instructor",
        "openinference-instrumentation-openai",
    ),
    tracing="OpenInference: `InstructorInstrumentor` and `OpenAIInstrumentor`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://arize-ai.github.io/openinference/python/instrumentation/openinference-instrumentation-instructor",
    environment="instructor",
    note=(
        "Their `OpenAIInstrumentor` breaks `create_partial`, even without tracesplice: there use "
        "`langfuse.openai`."
    ),
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
InstructorInstrumentor().instrument()
OpenAIInstrumentor().instrument()
tracesplice.instrument(gateway=GATEWAY)

client = instructor.from_openai(OpenAI(base_url=GATEWAY, api_key=KEY))
async_client = instructor.from_openai(AsyncOpenAI(base_url=GATEWAY, api_key=KEY))
CALLS = calls(client, async_client)[:2]
