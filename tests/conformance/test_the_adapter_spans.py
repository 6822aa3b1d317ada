"""Which spans reach Langfuse, where they hang, and that each carries its own call's link alone."""

from __future__ import annotations

import json
import secrets
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.curl import CHAT, PROMPT, Caller
from rig.patience import PATIENCE
from tracesplice_testing.gateway import Gateway, GatewayMode
from tracesplice_testing.gateway._http import request as http
from tracesplice_testing.gateway._modes import environment
from tracesplice_testing.gateway._process import clean_environment, find_venv

if TYPE_CHECKING:
    from tracesplice_testing.recorder import Observation, Recorder

DIRECT = "/direct/chat/completions"
NOBODY = {(None, None), ("default_user_id", None)}
UNREADABLE = "langfuse_tags=%5B%27a%27%2C,langfuse_prompt_version=two"


@dataclass(frozen=True)
class User(Caller):
    """A client whose user and session are nobody else's."""

    name: str = field(default_factory=lambda: secrets.token_hex(6))

    @property
    def baggage(self) -> str:
        prompt = f"langfuse_prompt_name={PROMPT},langfuse_prompt_version=2"
        return f"{prompt},langfuse_user_id={self.name},langfuse_session_id=s-{self.name}"

    def ask(self, body: dict[str, Any], path: str = "/chat/completions", **headers: str) -> None:
        assert self.post(body, path, baggage=self.baggage, **headers).status == 200

    def own(self, generations: list[Observation]) -> bool:
        """Whether these are of this client, and directly under its observation."""
        places = {(each.trace_id, each.parent_id) for each in generations}
        people = {(each.user_id, each.session_id, each.prompt_name) for each in generations}
        return (places, people) == (
            {(self.trace_id, self.parent_id)},
            {(self.name, f"s-{self.name}", PROMPT)},
        )


def chat(text: str) -> dict[str, Any]:
    return {**CHAT, "messages": [{"role": "user", "content": text}]}


def generations(recorder: Recorder) -> list[Observation]:
    return [each for each in recorder.observations() if each.type in ("GENERATION", "EMBEDDING")]


def of_others(recorder: Recorder, user: User) -> list[Observation]:
    return [
        each
        for each in recorder.observations()
        if user.name in (each.user_id, each.session_id) and each.trace_id != user.trace_id
    ]


def test_no_other_call_carries_what_a_client_said(gateway: Gateway, recorder: Recorder) -> None:
    recorder.clear()
    first, second = User(gateway, recorder), Caller(gateway, recorder)
    first.ask({"model": "gpt-4o-mini", "messages": CHAT["messages"]}, DIRECT)
    assert http(f"{gateway.url}/health?model=chat", gateway.key).status == 200
    second.post(CHAT, baggage=UNREADABLE)
    recorder.wait_for(lambda _: len(generations(recorder)) == 3 or None)
    assert not of_others(recorder, first), recorder.report()
    assert {(each.user_id, each.prompt_name) for each in second.generations()} <= NOBODY


def test_one_call_id_of_two_clients_mixes_nothing(gateway: Gateway, recorder: Recorder) -> None:
    users = [User(gateway, recorder) for _ in range(2)]
    same = {"x_litellm_call_id": secrets.token_hex(8)}
    with ThreadPoolExecutor() as pool:
        for user in users:
            pool.submit(user.ask, chat(f"[[delay:0.5]] {user.name}"), **same)
    for user in users:
        assert user.own(user.generations()), recorder.report()
        [generation] = user.reported()
        # LITELLM_OTEL_V2 does not report what was asked.
        assert user.name in str(generation.input or user.name)


MIX: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/chat/completions", CHAT),
    ("/chat/completions", {**CHAT, "stream": True}),
    ("/responses", {"model": "openai-chat", "input": "hi"}),
    ("/embeddings", {"model": "openai-embed", "input": "hi"}),
    ("/images/generations", {"model": "image", "prompt": "hi"}),
)


def test_each_of_many_calls_at_once_is_its_own(gateway: Gateway, recorder: Recorder) -> None:
    recorder.clear()
    users = [User(gateway, recorder) for _ in range(100)]
    with ThreadPoolExecutor(16) as pool:
        asked = [
            pool.submit(user.ask, MIX[number % len(MIX)][1], MIX[number % len(MIX)][0])
            for number, user in enumerate(users)
        ]
    assert [each.exception() for each in asked] == [None] * len(users)
    by_trace = recorder.wait_for(lambda _: all_arrived(recorder, users))
    wrong = [user for user in users if not user.own(by_trace[user.trace_id])]
    assert not wrong, recorder.report()


def all_arrived(recorder: Recorder, users: list[User]) -> dict[str, list[Observation]] | None:
    found: dict[str, list[Observation]] = {user.trace_id: [] for user in users}
    for each in generations(recorder):
        if each.trace_id in found:
            found[each.trace_id].append(each)
    return found if all(found.values()) else None


def test_what_the_client_does_not_say_of_the_trace_nobody_says(caller: Caller) -> None:
    caller.post({**CHAT, "litellm_metadata": caller.metadata})
    [generation] = caller.generations()
    assert generation.environment == "default"
    assert "langfuse.trace.name" not in generation.attributes


def test_langfuse_gets_nothing_but_the_generations(gateway: Gateway, recorder: Recorder) -> None:
    recorder.clear()
    assert http(f"{gateway.url}/health/readiness", gateway.key).status == 200
    unlinked, caller = Caller(gateway, recorder), Caller(gateway, recorder)
    unlinked.post(CHAT, traceparent="")
    caller.post(CHAT)
    caller.generations()
    recorder.wait_for(lambda _: len(generations(recorder)) == 2 or None)
    assert len(recorder.observations()) == 2, recorder.report()
    [root] = [each for each in recorder.observations() if each.trace_id != caller.trace_id]
    assert root.parent_id is None
    trace = recorder.trace(root.trace_id)
    assert trace is not None
    assert trace.name


# LiteLLM's own code makes the spans; no MCP server is asked.
TOOLS = """
import json
from litellm.integrations.otel.emitter import SpanEmitter
from litellm.integrations.otel.model.config import OpenTelemetryV2Config
from litellm.integrations.otel.model.payloads import MCPListToolsSpanData, MCPToolCallSpanData
from litellm.integrations.otel.model.spans import SpanRole
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tracesplice_litellm._export import for_langfuse
from tracesplice_litellm._langfuse_otel_v2 import prepare

class Logger:
    tracer_provider = TracerProvider()

memory = InMemorySpanExporter()
Logger.tracer_provider.add_span_processor(SimpleSpanProcessor(memory))
prepare(Logger())
tracer = Logger.tracer_provider.get_tracer("litellm")
payload = {"metadata": {"mcp_tool_call_metadata": {"name": "weather"}}}
calls = {
    SpanRole.MCP_TOOL_CALL: MCPToolCallSpanData.from_standard_logging_payload(payload),
    SpanRole.MCP_LIST_TOOLS: MCPListToolsSpanData.from_standard_logging_payload({}),
}
header = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}
context = TraceContextTextMapPropagator().extract(header)
with tracer.start_as_current_span("POST /mcp", context, SpanKind.SERVER):
    for role, data in calls.items():
        SpanEmitter(tracer, OpenTelemetryV2Config(), []).emit(role, data)
kept = for_langfuse(memory.get_finished_spans())
print(json.dumps([[span.name, f"{span.parent.span_id:x}"] for span in kept]))
"""


def test_it_gets_the_tools_of_mcp_too() -> None:
    process = subprocess.run(
        [find_venv() / "bin" / "python", "-c", TOOLS],
        env=clean_environment(environment(GatewayMode.LANGFUSE_OTEL_V2)),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    found = json.loads(process.stdout.splitlines()[-1])
    assert found == [["tools/call weather", "2" * 16], ["tools/list", "2" * 16]]
