"""Counts what of tracesplice runs in one call: `python bench/counts.py`.

Four ways to make a call, each in a process of its own, so that what one of them imports does not
take part in another, and each counted when it is warm. Then what the sources hold. Nothing here
depends on the machine: the figures are the same each time, on one version of Python.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

import sources
from tally import Tally, all_events, bytecodes

if TYPE_CHECKING:
    from collections.abc import Callable

WARM_UP = 3
KINDS = ("calls", "functions", "modules", "jumps")
MODES = ("langfuse", "langfuse_otel", "langfuse_otel_v2")
BENCH = Path(__file__).parent
PATIENCE = 30.0  # seconds


def tallied(call: Callable[[], object]) -> dict[str, Any]:
    """What runs in a call that was made before."""
    tally = Tally()
    for _ in range(WARM_UP):
        call()
    tally.install()
    tally.start()
    call()
    found = tally.stop()
    tally.remove()
    return found


def openai() -> dict[str, Any]:
    """`chat.completions.create`, within a span, with everything ambient that a link carries."""
    from langfuse import propagate_attributes

    import overhead
    import tracesplice

    langfuse, prompt = tracer(), overhead.prompt_client()
    with (
        langfuse.start_as_current_observation(name="span"),
        propagate_attributes(user_id="u", session_id="s", tags=["t"], prompt=prompt),
    ):
        plain = overhead.client(overhead.Unwrapped)
        spliced = tracesplice.splice(overhead.client())
        literal = {"extra_body": copy.deepcopy(dict(tracesplice.extra_body(prompt=prompt)))}
        literal["extra_headers"] = dict(tracesplice.headers())
        found = tallied(lambda: overhead.call(spliced))
        found["over_a_literal"] = over_a_literal(
            lambda: overhead.call(plain, **literal), lambda: overhead.call(spliced)
        )
        found["bytes"] = size(spliced) - size(plain)
    langfuse.shutdown()
    return found


def over_a_literal(literal: Callable[[], object], spliced: Callable[[], object]) -> dict[str, int]:
    """What runs more than in a call that has the same link as a literal, whosever it is."""
    for _ in range(WARM_UP):
        literal()
        spliced()
    few, more = all_events(literal), all_events(spliced)
    return {
        **{f"{kind}_calls": more[kind] - few[kind] for kind in few},
        "bytecodes": bytecodes(spliced) - bytecodes(literal),
    }


def size(client: Any) -> int:
    """Bytes of the body of a client's request."""
    import overhead

    overhead.call(client)
    return overhead.sent["bytes"]


def langchain() -> dict[str, Any]:
    """`ChatOpenAI.astream` with Langfuse's CallbackHandler."""
    from langchain_openai import ChatOpenAI
    from langfuse.langchain import CallbackHandler
    from pydantic import SecretStr

    import tracesplice
    from tracesplice_testing.model import ModelServer

    async def call() -> None:
        async for _ in model.astream("hi", {"callbacks": [handler]}):
            pass

    langfuse, key = tracer(), SecretStr("k")
    loop = asyncio.new_event_loop()
    with ModelServer() as server:
        model = tracesplice.splice(ChatOpenAI(base_url=f"{server.url}/v1", api_key=key, model="m"))
        handler = CallbackHandler()
        found = tallied(lambda: loop.run_until_complete(call()))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    langfuse.shutdown()
    return found


def llama_index() -> dict[str, Any]:
    """`OpenAILike.stream_complete` with OpenInference's instrumentor."""
    from llama_index.llms.openai_like import OpenAILike
    from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
    from opentelemetry import trace

    import tracesplice
    from tracesplice_testing.model import ModelServer

    langfuse = tracer()
    LlamaIndexInstrumentor().instrument(tracer_provider=trace.get_tracer_provider())
    with ModelServer() as server:
        access = {"api_base": f"{server.url}/v1", "api_key": "k"}
        model = tracesplice.splice(OpenAILike(model="m", is_chat_model=True, **access))
        found = tallied(lambda: list(model.stream_complete("hi")))
    langfuse.shutdown()
    return found


def tracer() -> Any:
    """The process's Langfuse client, which counts usage once and sends nothing meanwhile."""
    from langfuse import Langfuse
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    import overhead
    import tracesplice

    trace.set_tracer_provider(TracerProvider())
    return Langfuse(
        public_key="pk-counts",
        secret_key="sk-counts",
        base_url="http://127.0.0.1:9",
        span_exporter=overhead.NoExporter(),
        flush_interval=3600,
        mask_otel_spans=tracesplice.count_usage_once(),
    )


def gateway(mode: str) -> dict[str, Any]:
    """A request in a gateway with the adapter, until it is reported."""
    from tracesplice_testing.gateway import Gateway, GatewayMode
    from tracesplice_testing.recorder import Recorder

    with tempfile.TemporaryDirectory() as folder, Recorder() as recorder:
        target = Path(folder) / "tally.json"
        files = {name: (BENCH / name).read_text() for name in ("count_in_gateway.py", "tally.py")}
        running = Gateway(
            GatewayMode(mode),
            langfuse_env=recorder.env(),
            model_url="http://127.0.0.1:9",
            callbacks=["count_in_gateway.switch"],
            extra_env={"TALLY_FILE": str(target), "PYTHONPATH": "."},
            adapter=True,
            files=files,
        )
        with running:
            for _ in range(WARM_UP):
                reported_call(running, recorder)
            os.kill(running.pid, signal.SIGUSR1)
            reported_call(running, recorder)
            os.kill(running.pid, signal.SIGUSR2)
            deadline = time.monotonic() + PATIENCE
            while not target.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            found: dict[str, Any] = json.loads(target.read_text())
    return found


def reported_call(gateway: Any, recorder: Any) -> None:
    """Make a call with a link, and wait for the gateway's generation of it."""
    trace_id, parent_id = secrets.token_hex(16), secrets.token_hex(8)
    link = {
        "existing_trace_id": trace_id,
        "parent_observation_id": parent_id,
        "trace_user_id": "u",
        "trace_session_id": "s",
        "session_id": "s",
        "trace_tags": ["t"],
        "tags": ["t"],
        "update_trace_keys": ["trace_user_id", "trace_session_id", "trace_tags"],
        "prompt": {"name": "p", "version": 1, "prompt": ""},
    }
    messages = [{"role": "user", "content": "hello"}]
    body = {"model": "mock", "messages": messages, "litellm_metadata": link}
    headers = {"traceparent": f"00-{trace_id}-{parent_id}-01"}
    reply = gateway.post("/v1/chat/completions", body, headers)
    if reply.status != 200:
        raise SystemExit(f"the gateway answered {reply.status}: {reply.body[:500]!r}")
    recorder.wait_for(
        lambda _: any(each.trace_id == trace_id and each.cost for each in recorder.observations())
    )


PATHS: dict[str, Callable[[], dict[str, Any]]] = {
    "openai": openai,
    "langchain": langchain,
    "llama_index": llama_index,
    **{f"gateway-{mode}": partial(gateway, mode) for mode in MODES},
}


def apart(path: str) -> dict[str, Any]:
    """What `--path` counts in a process of its own."""
    command = [sys.executable, __file__, "--json", "--path", path]
    result = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description="What of tracesplice runs in one call.")
    parser.add_argument("--path", choices=PATHS, help="only this one, and what is called in order")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.path:
        found = PATHS[options.path]()
        print(json.dumps(found) if options.json else "\n".join(found["order"]))
        return
    calls = {path: apart(path) for path in PATHS}
    for each in calls.values():
        del each["order"]
    everything = {"calls": calls, "lines": sources.lines(), "state": sources.state()}
    if options.json:
        print(json.dumps(everything, indent=1))
    else:
        show(everything)


def show(everything: dict[str, Any]) -> None:
    """Print the tables."""
    console = Console()
    table = Table(title="tracesplice's own, in one call", box=None)
    for column in ("call", *KINDS):
        table.add_column(column)
    for path, found in everything["calls"].items():
        table.add_row(path, *(str(found[kind]) for kind in KINDS))
    console.print(table)
    plain = everything["calls"]["openai"]
    more = ", ".join(
        f"{count} {kind.replace('_', ' ')}" for kind, count in plain["over_a_literal"].items()
    )
    console.print(f"openai, over a hard-coded literal: {more}; {plain['bytes']} bytes of body\n")
    table = Table(title="Sources", box=None)
    for column in ("distribution", "modules", "lines", "state at module level"):
        table.add_column(column)
    for name, found in everything["lines"].items():
        held = everything["state"].get(name, [])
        told = f"{len(held)}: {', '.join(held)}" if held else ""
        table.add_row(name, str(found["modules"]), str(found["lines"]), told)
    console.print(table)


if __name__ == "__main__":
    main()
