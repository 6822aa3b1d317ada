"""The whole process at once: for clients that a library makes inside itself."""

import os

import langfuse
import openai

import tracesplice

tracesplice.instrument()  # the gateway of LITELLM_PROXY_API_BASE
tracer = langfuse.Langfuse(mask_otel_spans=tracesplice.count_usage_once())
client = openai.OpenAI(
    base_url=os.environ["LITELLM_PROXY_API_BASE"],
    api_key=os.environ["LITELLM_PROXY_API_KEY"],
)
with tracer.start_as_current_observation(name="instrument"):
    answer = client.chat.completions.create(
        model=os.environ.get("TRACESPLICE_MODEL", "chat"),
        messages=[{"role": "user", "content": "Say hello."}],
    )
print(answer.choices[0].message.content)
tracer.flush()
tracesplice.uninstrument()
