"""CPU time a link adds to a call of the OpenAI SDK: `make bench`.

Four ways to make the same call, interleaved in one run, with an HTTP transport that answers at
once: nothing, the ids as a hard-coded literal, the spliced client, and the manual recipe that puts
a whole prompt into every call. Figures are medians of rounds; compare the ratios, not machines.
"""

from __future__ import annotations

import json
import statistics
import time
from typing import TYPE_CHECKING, Any

import httpx
import openai
from langfuse import Langfuse, propagate_attributes
from langfuse.api import Prompt_Chat
from langfuse.model import ChatPromptClient
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from rich.console import Console
from rich.progress import track
from rich.table import Table

import tracesplice

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 60
CALLS = 40
GATEWAY = "http://gateway.invalid/v1"
ANSWER = {
    "id": "x",
    "object": "chat.completion",
    "created": 0,
    "model": "m",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}
    ],
}
TEMPLATE = [{"role": "system", "content": "You are kind. " * 500}]  # about 7 kB

sent: dict[str, int] = {}


def client() -> openai.OpenAI:
    """A client whose requests go nowhere and are answered at once."""

    def answer(request: httpx.Request) -> httpx.Response:
        sent["bytes"] = len(request.content)
        return httpx.Response(200, json=ANSWER)

    transport = httpx.Client(transport=httpx.MockTransport(answer))
    return openai.OpenAI(base_url=GATEWAY, api_key="k", http_client=transport)


def call(target: openai.OpenAI, **options: Any) -> None:
    """Make one call."""
    target.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "hello"}], **options
    )


def prompt_client() -> ChatPromptClient:
    """A chat prompt as `langfuse.get_prompt` returns it."""
    fields: dict[str, Any] = {"labels": [], "tags": [], "config": {}}
    return ChatPromptClient(Prompt_Chat(name="p", version=1, prompt=TEMPLATE, **fields))  # type: ignore[arg-type]


def recipe(span: Any, prompt: ChatPromptClient) -> dict[str, Any]:
    """The known manual recipe: ids and the whole prompt in `metadata`, at every call."""
    described = json.loads(json.dumps({**vars(prompt), "type": "chat"}))
    return {
        "metadata": {
            "existing_trace_id": span.trace_id,
            "parent_observation_id": span.id,
            "generation_name": "call",
            "prompt": described,
        }
    }


def ways(span: Any, prompt: ChatPromptClient) -> dict[str, Callable[[], None]]:
    """The ways to make a call, by name."""
    plain, spliced = client(), tracesplice.splice(client())
    call(spliced)
    literal = {**tracesplice.extra_body(prompt=prompt)}
    headers = tracesplice.headers()
    return {
        "nothing": lambda: call(plain),
        "literal": lambda: call(plain, extra_body=literal, extra_headers=headers),
        "spliced": lambda: call(spliced),
        "manual recipe": lambda: call(plain, extra_body=recipe(span, prompt)),
    }


def measure(functions: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Seconds of CPU for one call of each function."""
    rounds: dict[str, list[float]] = {name: [] for name in functions}
    for _ in track(range(ROUNDS), description="calling"):
        for name, function in functions.items():
            start = time.process_time()
            for _ in range(CALLS):
                function()
            rounds[name].append((time.process_time() - start) / CALLS)
    return {name: statistics.median(times) for name, times in rounds.items()}


def main() -> None:
    """Measure and print."""
    langfuse = Langfuse(
        public_key="pk-bench",
        secret_key="sk-bench",
        base_url="http://127.0.0.1:9",
        tracer_provider=TracerProvider(),
        span_exporter=InMemorySpanExporter(),
    )
    prompt = prompt_client()
    with (
        langfuse.start_as_current_observation(name="bench") as span,
        propagate_attributes(user_id="u", session_id="s", tags=["t"], prompt=prompt),
    ):
        functions = ways(span, prompt)
        sizes = {}
        for name, function in functions.items():
            function()
            sizes[name] = sent["bytes"]
        times = measure(functions)
    show(times, sizes)


def show(times: dict[str, float], sizes: dict[str, int]) -> None:
    """Print the figures as a table."""
    table = Table("call with", "CPU ms", "ratio to literal", "ratio to nothing", "request bytes")
    for name, seconds in times.items():
        table.add_row(
            name,
            f"{seconds * 1e3:.3f}",
            f"{seconds / times['literal']:.2f}",
            f"{seconds / times['nothing']:.2f}",
            str(sizes[name]),
        )
    Console().print(table)


if __name__ == "__main__":
    main()
