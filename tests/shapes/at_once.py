"""One program that asks through every framework, many times at once."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import openai
from langchain_openai import ChatOpenAI
from langfuse.langchain import CallbackHandler
from llama_index.llms.openai_like import OpenAILike
from pydantic import SecretStr

import tracesplice
from rig.llama_index_tracing import llama_index_traced

if TYPE_CHECKING:
    from shapes.wire import WireStage

__all__ = ["owners"]

TIMES = 10
_QUESTION = re.compile(r"question-\d+")


def owners(stage: WireStage) -> set[str]:
    """Make the calls, see that each is under its own observation, and return what those are."""
    stage.clear()
    with llama_index_traced(stage.provider):
        calls = asyncio.run(_ask_all(stage))
    stage.langfuse.flush()
    by_id = {each.id: each for each in stage.observations()}
    seen = [(by_id[each.parent_id or ""], each) for each in stage.reported()]
    assert len({each.trace_id for _, each in seen}) == 1
    assert len({owner.id for owner, _ in seen}) == len(seen) == calls
    for owner, generation in seen:
        asked = _QUESTION.findall(str(generation.input))
        assert asked
        assert set(asked) == set(_QUESTION.findall(f"{owner.name} {owner.input}"))
    return {_QUESTION.sub("span", owner.name) for owner, _ in seen}


async def _ask_all(stage: WireStage) -> int:
    url, key = f"{stage.wire.url}/v1", stage.wire.key
    async with AsyncExitStack() as clients:
        http: Any = [openai.DefaultAsyncHttpxClient(timeout=60) for _ in range(3)]
        for each in http:
            clients.push_async_callback(each.aclose)
        sdk = openai.AsyncOpenAI(base_url=url, api_key=key, http_client=http[0])
        chain = ChatOpenAI(
            base_url=url, api_key=SecretStr(key), model="chat", http_async_client=http[1]
        )
        options = {"is_chat_model": True, "async_http_client": http[2]}
        like = OpenAILike(model="chat", api_base=url, api_key=key, **options)
        for model in (sdk, chain, like):
            tracesplice.splice(model)
        config: Any = {"callbacks": [CallbackHandler(public_key=stage.recorder.public_key)]}

        async def ask_sdk(question: str) -> None:
            with stage.langfuse.start_as_current_observation(name=question):
                messages: Any = [{"role": "user", "content": question}]
                await sdk.chat.completions.create(model="chat", messages=messages)

        async def ask_stream(question: str) -> None:
            async for _ in await like.astream_complete(question):
                pass

        with stage.langfuse.start_as_current_observation(name="everything"):
            calls: list[Any] = []
            for number in range(TIMES):
                calls += [
                    ask_sdk(f"question-{number}0"),
                    chain.ainvoke(f"question-{number}1", config),
                    like.acomplete(f"question-{number}2"),
                    ask_stream(f"question-{number}3"),
                ]
            await asyncio.gather(*calls)
    return len(calls)
