"""One call through the gateway: one trace, the gateway's generation under the client's."""

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
with (
    tracer.start_as_current_observation(name="quickstart"),
    langfuse.propagate_attributes(user_id="ada", session_id="monday", tags=["example"]),
):
    answer = client.chat.completions.create(
        model=os.environ.get("TRACESPLICE_MODEL", "chat"),
        messages=[{"role": "user", "content": "Say hello."}],
    )
print(answer.choices[0].message.content)
tracer.flush()
