"""A Langfuse prompt, linked to the generations of both sides."""

import os
import sys

import langfuse.openai  # Langfuse's tracing of the OpenAI SDK
import openai

import tracesplice

name = sys.argv[1] if len(sys.argv) > 1 else "greeting"
tracer = langfuse.Langfuse(mask_otel_spans=tracesplice.count_usage_once())
client = tracesplice.splice(
    openai.OpenAI(
        base_url=os.environ["LITELLM_PROXY_API_BASE"],
        api_key=os.environ["LITELLM_PROXY_API_KEY"],
    )
)
prompt = tracer.get_prompt(name, fallback="Say hello.")
if prompt.is_fallback:
    print(f"Langfuse has no prompt {name!r}: the fallback is used, and never linked.")
with (
    tracer.start_as_current_observation(name="prompt"),
    langfuse.propagate_attributes(prompt=prompt),
):
    answer = client.chat.completions.create(
        model=os.environ.get("TRACESPLICE_MODEL", "chat"),
        messages=[{"role": "user", "content": prompt.compile()}],
    )
print(answer.choices[0].message.content)
tracer.flush()
