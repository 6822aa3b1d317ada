"""CPU time a link adds to a call of the OpenAI SDK: `make bench`.

Ways to make the same call, interleaved in one run, with an HTTP transport that answers at once:
nothing, the ids as a hard-coded literal, the spliced client, and the manual recipe that puts a
whole prompt into every call. The others are made by clients whose class is not wrapped, as in a
process without tracesplice; "not spliced" and "literal beside" by one beside a spliced one, whose
class is wrapped.

And three ways to make it in a generation that is exported: without `count_usage_once`, with it (the
mask at export, and what the adapter notes of a call for it), and with a mask that writes the same
zeros on each span and looks at nothing: what Langfuse's SDK itself takes to apply any mask. The
exporter neither encodes nor sends, so that the share of the mask is the largest it can be.

Figures are CPU time of the thread that calls. The ways take turns in small blocks, so that whatever
else the machine does meets all of them; each ratio is the median of those of the blocks. Compare
the ratios, not machines.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

import httpx
import openai
from langfuse import Langfuse, propagate_attributes
from langfuse.api import Prompt_Chat
from langfuse.model import ChatPromptClient
from langfuse.types import MaskOtelSpansResult, OtelSpanPatch
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from rich.console import Console
from rich.progress import track
from rich.table import Table

import tracesplice
from tracesplice import _request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from langfuse.types import MaskOtelSpansParams
    from opentelemetry.sdk.trace import ReadableSpan

ROUNDS = 400
WARM_UP = 20
CALLS = 10
KINDS = ("usage", "cost")
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


class Unwrapped(openai.OpenAI):
    """The SDK's client as it is before anything is spliced: no method of its class is wrapped."""

    _build_request = openai.OpenAI._build_request
    _process_response = openai.OpenAI._process_response


def client(kind: type[openai.OpenAI] = openai.OpenAI) -> openai.OpenAI:
    """A client whose requests go nowhere and are answered at once."""

    def answer(request: httpx.Request) -> httpx.Response:
        sent["bytes"] = len(request.content)
        return httpx.Response(200, json=ANSWER)

    transport = httpx.Client(transport=httpx.MockTransport(answer))
    return kind(base_url=GATEWAY, api_key="k", http_client=transport)


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
    plain, beside, spliced = client(Unwrapped), client(), tracesplice.splice(client())
    call(spliced)
    literal = {**tracesplice.extra_body(prompt=prompt)}
    headers = tracesplice.headers()
    return {
        "nothing": lambda: call(plain),
        "literal": lambda: call(plain, extra_body=literal, extra_headers=headers),
        "spliced": lambda: call(spliced),
        "not spliced": lambda: call(beside),
        "literal beside": lambda: call(beside, extra_body=literal, extra_headers=headers),
        "manual recipe": lambda: call(plain, extra_body=recipe(span, prompt)),
    }


class NoExporter(SpanExporter):
    """Takes spans and does nothing with them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Say that it worked."""
        return SpanExportResult.SUCCESS


def tracer(name: str, **options: Any) -> Langfuse:
    """A Langfuse client of its own, which sends nothing."""
    return Langfuse(
        public_key=f"pk-{name}",
        secret_key="sk-bench",
        base_url="http://127.0.0.1:9",
        tracer_provider=TracerProvider(),
        span_exporter=NoExporter(),
        **options,
    )


def in_generation(langfuse: Langfuse) -> Callable[[], None]:
    """A spliced call in a generation of the application's."""
    spliced = tracesplice.splice(client())
    used: Any = {"usage_details": {"input": 9, "output": 3}, "cost_details": {"total": 0.01}}

    def function() -> None:
        with langfuse.start_as_current_observation(name="g", as_type="generation", model="m") as g:
            call(spliced)
            g.update(output="hi", **used)

    return function


class NoCalls:
    """As if nothing of a call were noted for `count_usage_once`."""

    is_used = True

    def sent(self, places: object) -> None:
        """Note nothing."""

    def answered(self, places: object, reports: object) -> None:
        """Note nothing."""


@contextmanager
def unnoted() -> Iterator[None]:
    """Note nothing of calls."""
    with mock.patch.object(_request, "calls", NoCalls()):
        yield


@contextmanager
def exported(langfuse: Langfuse) -> Iterator[None]:
    """Wait for what was traced to be exported."""
    yield
    langfuse.flush()


@dataclass(frozen=True)
class Way:
    """One way to make a call, and what goes around a round of them."""

    call: Callable[[], None]
    around: tuple[Callable[[], AbstractContextManager[None]], ...] = ()


def zeros_on_all(*, params: MaskOtelSpansParams) -> MaskOtelSpansResult:
    """Write the same on each span."""
    zeros = dict.fromkeys((f"langfuse.observation.{kind}_details" for kind in KINDS), "{}")
    return MaskOtelSpansResult(
        span_patches={key: OtelSpanPatch(set_attributes=zeros) for key in params.spans}
    )


def countings() -> dict[str, Way]:
    """A call in a generation, counted twice and counted once."""
    twice, all_zero = tracer("twice"), tracer("zeros", mask_otel_spans=zeros_on_all)
    once = tracer("once", mask_otel_spans=tracesplice.count_usage_once())
    return {
        "not counted": Way(in_generation(twice), (unnoted, lambda: exported(twice))),
        "any mask": Way(in_generation(all_zero), (unnoted, lambda: exported(all_zero))),
        "counted once": Way(in_generation(once), (lambda: exported(once),)),
    }


def measure(ways: dict[str, Way], description: str) -> dict[str, list[float]]:
    """Seconds of CPU for one call of each way, in each round."""
    rounds: dict[str, list[float]] = {name: [] for name in ways}
    order = list(ways.items())
    for number in track(range(WARM_UP + ROUNDS), description=description):
        random.shuffle(order)
        for name, way in order:
            start = time.thread_time()
            with ExitStack() as stack:
                for around in way.around:
                    stack.enter_context(around())
                for _ in range(CALLS):
                    way.call()
            if number >= WARM_UP:
                rounds[name].append((time.thread_time() - start) / CALLS)
    return rounds


def main() -> None:
    """Measure and print."""
    langfuse, prompt = tracer("bench"), prompt_client()
    with (
        langfuse.start_as_current_observation(name="bench") as span,
        propagate_attributes(user_id="u", session_id="s", tags=["t"], prompt=prompt),
    ):
        functions = ways(span, prompt)
        sizes = {}
        for name, function in functions.items():
            function()
            sizes[name] = sent["bytes"]
        links = {name: Way(function) for name, function in functions.items()}
        times = measure(links, "a call with a link")
        show(times, sizes)
        show_counting(measure(countings(), "a call in a generation"))


def ratio(rounds: dict[str, list[float]], name: str, base: str) -> str:
    """How many times the CPU of another way: the median of the rounds' ratios, and quartiles."""
    found = [a / b for a, b in zip(rounds[name], rounds[base], strict=True)]
    low, middle, high = statistics.quantiles(found)
    return f"{middle:.3f} ({low:.2f} to {high:.2f})"


def show(rounds: dict[str, list[float]], sizes: dict[str, int]) -> None:
    """Print what a link costs as a table."""
    table = Table("call with", "CPU ms", "to literal", "to nothing", "bytes", box=None)
    for name, each in rounds.items():
        ratios = (ratio(rounds, name, base) for base in ("literal", "nothing"))
        table.add_row(name, f"{statistics.median(each) * 1e3:.3f}", *ratios, str(sizes[name]))
    Console().print(table)


def show_counting(rounds: dict[str, list[float]]) -> None:
    """Print what counting once costs as a table."""
    table = Table("call in a generation", "CPU ms", "to not counted", box=None)
    for name, each in rounds.items():
        seconds = f"{statistics.median(each) * 1e3:.3f}"
        table.add_row(name, seconds, ratio(rounds, name, "not counted"))
    Console().print(table)


if __name__ == "__main__":
    main()
