"""``tracesplice-litellm`` with what gateways do beside forwarding: caches, fallbacks, workers."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from conformance.curl import BAGGAGE, CHAT, PROMPT, Caller, owner
from rig.gateway import Gateway, GatewayMode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rig.model import ModelServer
    from rig.recorder import Recorder, Trace

REPORTS = "x-tracesplice-reports"
CACHED = {"cache": {"use-cache": True}}
FALLBACK = {"broken": ["chat"]}
SERVER_SPANS = {"TRACESPLICE_SERVER_SPANS": "true"}
# LITELLM_OTEL_V2 makes the span of a call afterwards where it could not before.
LATE_SPANS = """
from litellm.integrations.custom_logger import CustomLogger
from litellm.integrations.otel.logger import OpenTelemetryV2

def fail(*args, **kwargs):
    raise RuntimeError("not now")

OpenTelemetryV2.log_pre_api_call = fail
callback = CustomLogger()
"""


GUARD = """
from litellm.integrations.custom_guardrail import CustomGuardrail, log_guardrail_information

class Guard(CustomGuardrail):
    @log_guardrail_information
    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        return data
"""
GUARDRAIL = {
    "guardrail_name": "mine",
    "litellm_params": {"guardrail": "guard.Guard", "mode": "pre_call"},
}


@pytest.fixture(scope="module")
def prompts(recorder: Recorder) -> None:
    recorder.add_prompt(PROMPT, "Never used", labels=[])
    recorder.add_prompt(PROMPT, "Say {{what}}", labels=["production"])


def start(recorder: Recorder, model: ModelServer, **options: Any) -> Iterator[Any]:
    with ExitStack() as stack:
        started = {
            mode: Gateway(
                mode, langfuse_env=recorder.env(), model_url=model.url, adapter=True, **options
            )
            for mode in GatewayMode
        }
        for gateway in started.values():
            stack.callback(gateway.stop)
            gateway.start()
        for gateway in started.values():
            gateway.wait_ready()
        yield started


@pytest.fixture(scope="module")
def equipped(recorder: Recorder, model: ModelServer, prompts: None) -> Iterator[Any]:
    cache = {"cache": True, "cache_params": {"type": "local", "mode": "default_off"}}
    router = {"router_settings": {"fallbacks": [FALLBACK], "enable_tag_filtering": True}}
    extra = {**router, "guardrails": [GUARDRAIL]}
    files = {"guard.py": GUARD}
    yield from start(recorder, model, extra_settings=cache, config_extra=extra, files=files)


@pytest.fixture(params=GatewayMode, ids=lambda mode: mode.value)
def caller(
    request: pytest.FixtureRequest, equipped: dict[GatewayMode, Gateway], recorder: Recorder
) -> Caller:
    return Caller(equipped[request.param], recorder)


def question() -> dict[str, Any]:
    """A chat that nobody asked before."""
    return {**CHAT, "messages": [{"role": "user", "content": secrets.token_hex(8)}]}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_cached_answer_costs_nothing(caller: Caller, *, stream: bool) -> None:
    body = {**question(), **CACHED, "stream": stream}
    first = Caller(caller.gateway, caller.recorder)
    first.post(body)
    [asked] = first.generations()
    assert asked.cost > 0
    reply = caller.post(body, baggage=BAGGAGE)
    assert b"echo: " in reply.body
    assert reply.headers[REPORTS] == "true"
    if caller.gateway.mode is GatewayMode.LANGFUSE_OTEL_V2:
        # It makes no generation without a call of the model; there is nothing to count.
        names = [each.name or "" for each in caller.recorder.observations()]
        assert not [name for name in names if name.startswith("cache.")]
        return
    [generation] = caller.generations()
    assert owner(caller.recorder, generation) == caller.parent_id
    assert (generation.prompt_name, generation.user_id) == (PROMPT, "user 1")
    assert (generation.cost, generation.usage["total"]) == (0, asked.usage["total"])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_each_attempt_of_a_fallback_is_there(caller: Caller, stream: bool) -> None:
    reply = caller.post({**question(), "model": "broken", "stream": stream}, baggage=BAGGAGE)
    assert (reply.status, reply.headers[REPORTS]) == (200, "true")
    each_is_there(caller)


def test_each_attempt_of_a_retry_is_there(caller: Caller) -> None:
    reply = caller.post({**question(), "model": "flaky", "num_retries": 1}, baggage=BAGGAGE)
    assert (reply.status, reply.headers[REPORTS]) == (200, "true")
    each_is_there(caller)


def test_what_a_guardrail_did_is_in_the_trace(caller: Caller) -> None:
    reply = caller.post({**question(), "guardrails": ["mine"]}, baggage=BAGGAGE)
    assert reply.status == 200
    [generation] = caller.generations()
    [guardrail] = caller.recorder.wait_for(
        lambda recorder: (
            [
                each
                for each in recorder.observations()
                if each.trace_id == caller.trace_id and "guardrail" in (each.name or "")
            ]
            or None
        )
    )
    v2 = caller.gateway.mode is GatewayMode.LANGFUSE_OTEL_V2
    assert guardrail.type != "GENERATION"
    assert guardrail.parent_id == (caller.parent_id if v2 else generation.id)


def test_trace_tags_take_no_part_in_routing(caller: Caller) -> None:
    tagged = {**question(), "litellm_metadata": {"tags": ["mine"]}}
    assert caller.post(tagged).status == 401
    asked = Caller(caller.gateway, caller.recorder)
    asked.post({**question(), "litellm_metadata": {"trace_tags": ["mine"]}})
    [generation] = asked.generations()
    assert "mine" in generation.tags


def each_is_there(caller: Caller) -> None:
    found = sorted(caller.generations(2), key=lambda each: each.level)
    assert [each.level for each in found] == ["DEFAULT", "ERROR"]
    for each in found:
        assert owner(caller.recorder, each) == caller.parent_id
        assert (each.prompt_name, each.prompt_version) == (PROMPT, 2)
        assert (each.user_id, each.session_id) == ("user 1", "session-1")
    assert [each.cost for each in found] == [pytest.approx(5e-6), 0]
    assert "asked to fail" in (found[1].status_message or "")


@pytest.mark.usefixtures("prompts")
def test_a_call_whose_span_starts_late_is_reported(recorder: Recorder, model: ModelServer) -> None:
    with Gateway(
        GatewayMode.LANGFUSE_OTEL_V2,
        langfuse_env=recorder.env(),
        model_url=model.url,
        callbacks=["late_spans.callback"],
        files={"late_spans.py": LATE_SPANS},
        extra_env=SERVER_SPANS,
        adapter=True,
    ) as gateway:
        caller = Caller(gateway, recorder)
        reply = caller.post(question(), baggage=BAGGAGE)
        [generation] = caller.generations()
    assert reply.headers[REPORTS] == "true"
    assert (generation.prompt_name, generation.user_id) == (PROMPT, "user 1")
    assert generation.cost > 0


@pytest.mark.usefixtures("prompts")
@pytest.mark.parametrize("mode", GatewayMode, ids=lambda mode: mode.value)
def test_two_workers_do_the_same(mode: GatewayMode, recorder: Recorder, model: ModelServer) -> None:
    gateway = Gateway(
        mode,
        langfuse_env=recorder.env(),
        model_url=model.url,
        adapter=True,
        workers=2,
        extra_env=SERVER_SPANS,
    )
    with gateway:
        callers = [Caller(gateway, recorder) for _ in range(20)]
        for caller in callers:
            reply = caller.post(question(), baggage=BAGGAGE)
            assert (reply.status, reply.headers[REPORTS]) == (200, "true")
        for caller in callers:
            [generation] = caller.generations()
            assert owner(recorder, generation) == caller.parent_id
            assert (generation.prompt_name, generation.user_id) == (PROMPT, "user 1")
            server_spans_are_let_in(mode, caller)


SERVER_SPAN_NAMES: dict[GatewayMode, set[str | None]] = {
    GatewayMode.LANGFUSE: set(),
    GatewayMode.LANGFUSE_OTEL: {"raw_gen_ai_request"},
    GatewayMode.LANGFUSE_OTEL_V2: {"POST /chat/completions", "auth /chat/completions"},
}


def server_spans_are_let_in(mode: GatewayMode, caller: Caller) -> None:
    """Also that they are no generations, and leave the trace in its environment."""

    def arrived(recorder: Recorder) -> Trace | None:
        trace = recorder.trace(caller.trace_id)
        names = {each.name for each in trace.observations} if trace else set()
        return trace if SERVER_SPAN_NAMES[mode] <= names else None

    trace = caller.recorder.wait_for(arrived)
    assert [each.type for each in trace.observations].count("GENERATION") == 1
    assert trace.environment == "staging"
