"""A streamed answer: read where you like, it belongs where it was asked for."""

import os

import langfuse.openai  # Langfuse's tracing of the OpenAI SDK
import openai

import tracesplice

tracer = langfuse.Langfuse(mask_otel_spans=tracesplice.count_usage_once())
client = tracesplice.splice(
    openai.OpenAI(
        base_url=os.environ["LITELLM_PROXY_API_BASE"],
        api_key=os.environ["LITELLM_PROXY_API_KEY"],
    )
)
with tracer.start_as_current_observation(name="streaming"):
    stream = client.chat.completions.create(
        model=os.environ.get("TRACESPLICE_MODEL", "chat"),
        messages=[{"role": "user", "content": "Say hello."}],
        stream=True,
    )
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
tracer.flush()
