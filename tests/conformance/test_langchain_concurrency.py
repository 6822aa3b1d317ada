"""Many LangChain calls at once, through one model and one Langfuse handler, stay apart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import openai
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from langfuse.langchain import CallbackHandler
from pydantic import SecretStr

import tracesplice
from conformance.harness import gateway_generations
from rig.gateway import GatewayMode

if TYPE_CHECKING:
    from conformance.harness import Stage
    from rig.recorder import Observation

CALLS = 200


def test_each_generation_has_its_own_parent_and_prompt(stage: Stage) -> None:
    stage.clear()
    gateway = stage.gateways[GatewayMode.LANGFUSE]
    handler = CallbackHandler(public_key=stage.recorder.public_key)
    names = [f"prompt-{number}" for number in range(CALLS)]
    for name in names:
        stage.recorder.add_prompt(name, "Say {{what}}", labels=["production"])
    prompts = [stage.langfuse.get_prompt(name) for name in names]

    async def everything() -> None:
        async with openai.DefaultAsyncHttpxClient(timeout=60) as http_client:
            model = tracesplice.splice(
                ChatOpenAI(
                    base_url=gateway.url,
                    api_key=SecretStr(gateway.key),
                    model="chat",
                    http_async_client=http_client,
                )
            )
            calls = []
            for prompt in prompts:
                metadata = {"langfuse_prompt": prompt}
                template = ChatPromptTemplate([("user", "{what}")], metadata=metadata)
                chain = (template | model).with_config(callbacks=[handler])
                calls.append(chain.ainvoke({"what": prompt.name}))
            await asyncio.gather(*calls)

    asyncio.run(everything())
    stage.langfuse.flush()

    def arrived(recorder: object) -> list[Observation] | None:
        found = gateway_generations(stage)
        return found if len(found) == CALLS else None

    seen = stage.recorder.wait_for(arrived)
    by_id = {observation.id: observation for observation in stage.observations()}
    owners = [by_id[generation.parent_id or ""] for generation in seen]
    assert len({owner.id for owner in owners}) == CALLS
    assert len({owner.trace_id for owner in owners}) == CALLS
    assert {generation.prompt_name for generation in seen} == set(names)
    for owner, generation in zip(owners, seen, strict=True):
        assert owner.type == "GENERATION"
        assert owner.trace_id == generation.trace_id
        assert owner.prompt_name == generation.prompt_name
        assert str(generation.prompt_name) in str(generation.input)
        assert str(generation.prompt_name) in str(owner.input)
