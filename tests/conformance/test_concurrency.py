"""Calls at the same time, through one spliced client and a real gateway, stay apart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import openai
from langfuse import propagate_attributes

import tracesplice
from conformance.harness import gateway_generations
from rig.gateway import GatewayMode

if TYPE_CHECKING:
    from conformance.harness import Stage

CALLS = 100


def test_each_generation_has_its_own_parent_and_user(stage: Stage) -> None:
    stage.clear()
    gateway = stage.gateways[GatewayMode.LANGFUSE]
    users: dict[str, str] = {}

    async def one(client: openai.AsyncOpenAI, user: str) -> None:
        with (
            stage.langfuse.start_as_current_observation(name=user) as span,
            propagate_attributes(user_id=user),
        ):
            users[span.id] = user
            await client.chat.completions.create(
                model="chat", messages=[{"role": "user", "content": user}]
            )

    async def everything() -> None:
        async with openai.AsyncOpenAI(base_url=gateway.url, api_key=gateway.key) as client:
            tracesplice.splice(client)
            await asyncio.gather(*(one(client, f"user-{number}") for number in range(CALLS)))

    asyncio.run(everything())
    stage.langfuse.flush()
    seen = stage.recorder.wait_for(
        lambda recorder: found if len(found := gateway_generations(stage)) == CALLS else None
    )
    by_id = {observation.id: observation for observation in stage.observations()}
    for generation in seen:
        parent = generation.parent_id or ""
        while parent not in users:  # the generation of langfuse.openai, once that is imported
            parent = by_id[parent].parent_id or ""
        assert generation.user_id == users[parent]
        assert users[parent] in str(generation.input)
