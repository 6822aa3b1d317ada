"""One program that asks the same gateway through every framework, many times at once."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import openai
from langchain_openai import ChatOpenAI
from langfuse.langchain import CallbackHandler
from llama_index.llms.openai_like import OpenAILike
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
from pydantic import SecretStr

import tracesplice
from conformance.harness import gateway_generations
from rig.gateway import GatewayMode

if TYPE_CHECKING:
    from conformance.harness import Stage
    from rig.gateway import Gateway
    from rig.recorder import Observation

__all__ = ["judge"]

TIMES = 10
_QUESTION = re.compile(r"question-\d+")


def judge(stage: Stage) -> set[str]:
    """Make the calls, and return what the observations are that the gateway's are under."""
    stage.clear()
    calls = _instrumented(stage, stage.gateways[GatewayMode.LANGFUSE])
    stage.langfuse.flush()

    def arrived(recorder: object) -> list[Observation] | None:
        found = gateway_generations(stage)
        return found if len(found) == calls else None

    seen = stage.recorder.wait_for(arrived)
    by_id = {each.id: each for each in stage.observations()}
    owners = [by_id[each.parent_id or ""] for each in seen]
    assert len({each.trace_id for each in seen}) == 1
    assert len({owner.id for owner in owners}) == calls
    for owner, generation in zip(owners, seen, strict=True):
        asked = _QUESTION.findall(str(generation.input))
        assert asked
        assert set(asked) == set(_QUESTION.findall(f"{owner.name} {owner.input}"))
    return {_QUESTION.sub("span", str(owner.name)) for owner in owners}


def _instrumented(stage: Stage, gateway: Gateway) -> int:
    instrumentor = LlamaIndexInstrumentor()
    instrumentor.instrument(tracer_provider=stage.provider)
    try:
        return asyncio.run(_ask_all(stage, gateway))
    finally:
        instrumentor.uninstrument()


async def _ask_all(stage: Stage, gateway: Gateway) -> int:
    async with AsyncExitStack() as clients:
        http: Any = [openai.DefaultAsyncHttpxClient(timeout=60) for _ in range(3)]
        for each in http:
            clients.push_async_callback(each.aclose)
        sdk = tracesplice.splice(
            openai.AsyncOpenAI(base_url=gateway.url, api_key=gateway.key, http_client=http[0])
        )
        chain = tracesplice.splice(
            ChatOpenAI(
                base_url=gateway.url,
                api_key=SecretStr(gateway.key),
                model="chat",
                http_async_client=http[1],
            )
        )
        like = tracesplice.splice(
            OpenAILike(
                model="chat",
                api_base=gateway.url,
                api_key=gateway.key,
                is_chat_model=True,
                async_http_client=http[2],
            )
        )
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
