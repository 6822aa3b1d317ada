"""No link crosses over between calls that run at the same time through one spliced client."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import httpx
import openai
from langfuse import propagate_attributes

import tracesplice
from faults.wire import client_of, links, say

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from langfuse import Langfuse

    from tracesplice_testing.model import ModelServer

TRACES = 1_000
THREADS = 64
CALLS_PER_THREAD = 4


def check(wire: ModelServer, expected: dict[str, tuple[str, str]]) -> None:
    seen = links(wire)
    assert len(seen) == len(expected)
    for text, metadata, traceparent in seen:
        trace_id, parent_id = expected[text]
        assert metadata["existing_trace_id"] == trace_id
        assert metadata["parent_observation_id"] == parent_id
        assert metadata["trace_user_id"] == f"user {text}"
        assert metadata["prompt"]["name"] == f"prompt {text}"
        assert traceparent is not None
        assert traceparent.startswith(f"00-{trace_id}-{parent_id}-")


def ambient(text: str) -> Any:
    prompt = {"name": f"prompt {text}", "version": 1}
    return propagate_attributes(user_id=f"user {text}", prompt=prompt)


def test_a_thousand_tasks(wire: ModelServer, langfuse: Langfuse) -> None:
    expected: dict[str, tuple[str, str]] = {}

    async def one(client: openai.AsyncOpenAI, text: str) -> None:
        with langfuse.start_as_current_observation(name=text) as span, ambient(text):
            expected[text] = (span.trace_id, span.id)
            await asyncio.sleep(0)
            await say(client, text)

    async def everything() -> None:
        url = f"{wire.url}/v1"
        limits = openai.DefaultAsyncHttpxClient(timeout=60)
        async with openai.AsyncOpenAI(base_url=url, api_key="k", http_client=limits) as client:
            tracesplice.splice(client)
            await asyncio.gather(*(one(client, str(number)) for number in range(TRACES)))

    asyncio.run(everything())
    check(wire, expected)


def test_many_threads(wire: ModelServer, langfuse: Langfuse) -> None:
    expected: dict[str, tuple[str, str]] = {}
    together = Barrier(THREADS, timeout=30)

    def run(client: openai.OpenAI, thread: int) -> None:
        together.wait()
        for call in range(CALLS_PER_THREAD):
            text = f"{thread}.{call}"
            with langfuse.start_as_current_observation(name=text) as span, ambient(text):
                expected[text] = (span.trace_id, span.id)
                say(client, text)

    with tracesplice.splice(client_of(wire)) as client, ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda thread: run(client, thread), range(THREADS)))
    check(wire, expected)


def test_a_call_that_is_thrown_away_takes_no_other_s_link(langfuse: Langfuse) -> None:
    # As the garbage collector closes a coroutine: in the context of whoever is at work.
    left: list[Coroutine[Any, Any, Any]] = []
    parents: list[str | None] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        if b"left" in request.content:
            await asyncio.Event().wait()
        parents.append(request.headers.get("traceparent"))
        if left:
            left.pop().close()
            raise httpx.ConnectError("try again")
        return httpx.Response(200, json={"choices": []})

    async def both() -> str:
        http_client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        async with openai.AsyncOpenAI(
            base_url="http://gateway/v1", api_key="k", http_client=http_client, max_retries=1
        ) as client:
            tracesplice.splice(client)
            with langfuse.start_as_current_observation(name="at work") as span:
                left.append(say(client, "left"))
                contextvars.copy_context().run(left[0].send, None)
                await say(client)
        return f"00-{span.trace_id}-{span.id}-"

    place = asyncio.run(both())
    assert [parent and parent.startswith(place) for parent in parents] == [True, True]
