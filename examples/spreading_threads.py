"""Calls in threads: each is in the trace of the span that handed the work out."""

import os
from concurrent.futures import ThreadPoolExecutor

import langfuse
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


def ask(question: str) -> str | None:
    """Make one call."""
    answer = client.chat.completions.create(
        model=os.environ.get("TRACESPLICE_MODEL", "chat"),
        messages=[{"role": "user", "content": question}],
    )
    return answer.choices[0].message.content


with (
    tracer.start_as_current_observation(name="threads"),
    langfuse.propagate_attributes(user_id="ada", session_id="monday"),
    ThreadPoolExecutor() as pool,
):
    for text in pool.map(tracesplice.wrap(ask), ["Say one.", "Say two.", "Say three."]):
        print(text)
tracer.flush()
