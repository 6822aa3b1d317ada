"""Asynchronous streams side by side, each traced by one and the same handler."""

import asyncio
import os

from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI
from langfuse import Langfuse
from langfuse.langchain import CallbackHandler
from pydantic import SecretStr

import tracesplice


async def main() -> None:
    """Ask three questions at once inside one span."""
    tracer = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
    handler = CallbackHandler()
    llm = tracesplice.splice(
        ChatOpenAI(
            base_url=os.environ["LITELLM_PROXY_API_BASE"],
            api_key=SecretStr(os.environ["LITELLM_PROXY_API_KEY"]),
            model=os.environ.get("TRACESPLICE_MODEL", "chat"),
        )
    )

    async def ask(question: str) -> str:
        return "".join([chunk.text async for chunk in llm.astream(question, config)])

    config: RunnableConfig = {"callbacks": [handler]}
    with tracer.start_as_current_observation(name="streaming"):
        questions = ("Say one.", "Say two.", "Say three.")
        for answer in await asyncio.gather(*(ask(question) for question in questions)):
            print(answer)
    tracer.flush()


asyncio.run(main())
