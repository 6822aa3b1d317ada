"""Asynchronous streams side by side, each traced by one and the same handler."""

from __future__ import annotations

import asyncio
import os
import sys

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


NEEDED = (
    "LITELLM_PROXY_API_BASE",
    "LITELLM_PROXY_API_KEY",
    "LANGFUSE_PUBLIC_KEY",
    "LANGFUSE_SECRET_KEY",
)
if __name__ == "__main__":
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        sys.exit(f"Set {', '.join(missing)} first; examples/README.md says to what.")
    asyncio.run(main())
