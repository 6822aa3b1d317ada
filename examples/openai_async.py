"""Calls side by side: each gateway generation is under its own call."""

import asyncio
import os

import langfuse.openai  # Langfuse's tracing of the OpenAI SDK
import openai

import tracesplice


async def main() -> None:
    """Ask three questions at once inside one span."""
    tracer = langfuse.Langfuse(mask_otel_spans=tracesplice.count_usage_once())
    client = tracesplice.splice(
        openai.AsyncOpenAI(
            base_url=os.environ["LITELLM_PROXY_API_BASE"],
            api_key=os.environ["LITELLM_PROXY_API_KEY"],
        )
    )

    async def ask(question: str) -> str | None:
        answer = await client.chat.completions.create(
            model=os.environ.get("TRACESPLICE_MODEL", "chat"),
            messages=[{"role": "user", "content": question}],
        )
        return answer.choices[0].message.content

    with tracer.start_as_current_observation(name="async"):
        questions = ("Say one.", "Say two.", "Say three.")
        for answer in await asyncio.gather(*(ask(question) for question in questions)):
            print(answer)
    tracer.flush()


asyncio.run(main())
