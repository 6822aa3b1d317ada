"""A long run: ``make soak``.

``python -m fuzz.soak`` makes 100,000 spliced calls through an HTTP transport in the process:
synchronous, asynchronous, streamed, half-read, answered and failed, in threads and tasks, each in a
trace of its own that is exported with its usage counted once. Memory must stay flat, nothing of
ours may grow, and no call may carry another one's link. Then a part of that through a real gateway
in each mode, whose memory must stay flat, too.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import openai
from langfuse import Langfuse, propagate_attributes
from opentelemetry.sdk.trace import TracerProvider

import tracesplice
from faults.conftest import NoExport
from faults.scripted import ANSWER, CHUNKS
from fuzz.gateways import TOGETHER, Pair, memory
from fuzz.state import sizes
from tracesplice_testing.gateway import GatewayMode
from tracesplice_testing.model import ModelServer

if TYPE_CHECKING:
    from collections.abc import Iterator

THREADS, TASKS, ROUND = 64, 1_000, 5_000
MAX_GROWTH = 10_000  # kB, from a tenth of the calls on
MAX_GATEWAY_GROWTH = 40_000
_number = count()


class Answers:
    """A gateway in the process: answers, or fails; notes what is not its caller's."""

    def __init__(self) -> None:
        self.calls = 0
        self.crossed: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        expected, metadata = body["messages"][0]["content"], body.get("litellm_metadata") or {}
        found = f"{metadata.get('existing_trace_id')} {metadata.get('trace_user_id')}"
        self.calls += 1
        if expected != found:
            self.crossed.append(f"{expected} became {found}")
        if self.calls % 10 == 0:
            return httpx.Response(500, json={"error": {"message": "m"}})
        headers = {"x-tracesplice-reports": str(self.calls % 3 > 0).lower()}
        if body.get("stream"):
            headers["content-type"] = "text/event-stream"
            text = CHUNKS + "data: [DONE]\n\n"
            return httpx.Response(200, content=text.encode(), headers=headers)
        return httpx.Response(200, json=ANSWER, headers=headers)

    async def aanswer(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return self.answer(request)


class Soak:
    """The application: two spliced clients, and a Langfuse client that counts each call once."""

    def __init__(self) -> None:
        self.answers = Answers()
        self.langfuse = Langfuse(
            public_key="pk-soak",
            secret_key="sk-soak",
            base_url="http://127.0.0.1:9",
            tracer_provider=TracerProvider(),
            span_exporter=NoExport(),
            mask_otel_spans=tracesplice.count_usage_once(),
        )
        given: dict[str, Any] = {"base_url": "http://gw/v1", "api_key": "k", "max_retries": 0}
        http = httpx.Client(transport=httpx.MockTransport(self.answers.answer))
        ahttp = httpx.AsyncClient(transport=httpx.MockTransport(self.answers.aanswer))
        self.client = tracesplice.splice(openai.OpenAI(http_client=http, **given))
        self.aclient = tracesplice.splice(openai.AsyncOpenAI(http_client=ahttp, **given))

    def call(self, number: int) -> None:
        with self._observed(number) as options:
            try:
                answer: Any = self.client.chat.completions.create(**options)
                self._read(number, answer) if options["stream"] else answer.choices
            except openai.APIStatusError:
                pass

    async def acall(self, number: int) -> None:
        with self._observed(number) as options:
            try:
                answer: Any = await self.aclient.chat.completions.create(**options)
                if options["stream"]:
                    async for _ in answer:
                        if number % 8 == 3:
                            await answer.close()
                            break
            except openai.APIStatusError:
                pass

    def round(self, calls: int) -> None:
        """Make calls: half of them in threads, half in tasks."""
        half = calls // 2
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self.call, range(half)))

        async def tasks() -> None:
            for start in range(0, half, TASKS):
                await asyncio.gather(*map(self.acall, range(start, min(start + TASKS, half))))

        asyncio.run(tasks())
        self.langfuse.flush()

    def _read(self, number: int, stream: Any) -> None:
        for _ in stream:
            if number % 8 == 3:
                stream.close()
                break

    def _observed(self, number: int) -> Any:
        return _Observed(self.langfuse, number)


class _Observed:
    def __init__(self, langfuse: Langfuse, number: int) -> None:
        self._langfuse, self._number = langfuse, number

    def __enter__(self) -> dict[str, Any]:
        usage = {"input": 3, "output": 4, "total": 7}
        self._span = self._langfuse.start_as_current_observation(
            name="g", as_type="generation", model="m", usage_details=usage
        )
        made = self._span.__enter__()
        user = f"user-{next(_number)}"
        self._user = propagate_attributes(user_id=user, session_id=f"s-{self._number}", tags=["t"])
        self._user.__enter__()
        text = f"{made.trace_id} {user}"
        return {
            "model": "m",
            "messages": [{"role": "user", "content": text}],
            "stream": self._number % 2 == 1,
        }

    def __exit__(self, *error: Any) -> None:
        self._user.__exit__(*error)
        self._span.__exit__(*error)


def resident() -> int:
    """Resident kB of this process."""
    gc.collect()
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def soak_client(calls: int) -> Iterator[str]:
    """Make the calls; says what is wrong."""
    soak, began = Soak(), time.monotonic()
    seen: list[tuple[int, dict[str, int]]] = []
    for _ in range(0, calls, ROUND):
        soak.round(ROUND)
        seen.append((resident(), sizes()))
        print(
            f"{soak.answers.calls} calls, {time.monotonic() - began:.0f} s, {seen[-1][0]} kB, "
            f"{sum(seen[-1][1].values())} entries",
            flush=True,
        )
    # The records of what was exported are full by then.
    (before, first), (after, last) = seen[len(seen) // 4], seen[-1]
    if after - before > MAX_GROWTH:
        yield f"memory: {before} to {after} kB"
    for name in last:
        if last[name] > first.get(name, 0):
            yield f"{name}: {first.get(name, 0)} to {last[name]}"
    yield from soak.answers.crossed[:9]
    print({name: size for name, size in last.items() if size > 99})


def soak_gateway(calls: int, mode: GatewayMode, model: ModelServer) -> Iterator[str]:
    """Make mixed calls through a gateway, each its own; says what is wrong."""
    with Pair(mode, model) as pair:
        grown = []
        for _ in range(0, calls, TOGETHER):
            yield from pair.together()
            grown.append(memory(pair.ours))
            print(f"{mode.value}: {len(grown) * TOGETHER} calls, {grown[-1]} kB", flush=True)
        if grown[-1] - grown[len(grown) // 4] > MAX_GATEWAY_GROWTH:
            yield f"memory: {grown} kB"


def main() -> int:
    """Run both parts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--gateway-calls", type=int, default=4_000, help="in each mode")
    given = parser.parse_args()
    wrong = list(soak_client(given.calls))
    with ModelServer() as model:
        for mode in GatewayMode if given.gateway_calls else ():
            wrong += [f"{mode.value}: {x}" for x in soak_gateway(given.gateway_calls, mode, model)]
    print("\n".join(wrong) or "nothing grew, nothing crossed")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
