"""What Ray's tasks and actors do, as a user has it: each process makes its own as it imports it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import langfuse
import langfuse.openai  # Langfuse's tracing of the OpenAI SDK
import openai

import tracesplice

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = ["acall", "call", "span", "tracer"]

GATEWAY: Any = {
    "base_url": os.environ["LITELLM_PROXY_API_BASE"],
    "api_key": os.environ["LITELLM_PROXY_API_KEY"],
}
tracer = langfuse.Langfuse(mask_otel_spans=tracesplice.count_usage_once())
client = tracesplice.splice(openai.OpenAI(**GATEWAY))
async_client = tracesplice.splice(openai.AsyncOpenAI(**GATEWAY))


def span(name: str) -> AbstractContextManager[object]:
    """A span of a task; by a function, as Ray would pickle the client that a task names."""
    return tracer.start_as_current_observation(name=name)


def call(question: str) -> str:
    """Ask the model inside a span of the task's own."""
    with tracer.start_as_current_observation(
        name="task", input=question, metadata={"process": os.getpid()}
    ):
        answer = client.chat.completions.create(
            model="chat", messages=[{"role": "user", "content": question}]
        )
        return str(answer.choices[0].message.content)


async def acall(question: str) -> str:
    """Ask the model as ``call`` does."""
    with tracer.start_as_current_observation(name="task", input=question):
        answer = await async_client.chat.completions.create(
            model="chat", messages=[{"role": "user", "content": question}]
        )
        return str(answer.choices[0].message.content)
