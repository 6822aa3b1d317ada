"""``tracesplice-litellm`` with what gateways do beside forwarding: caches, fallbacks, workers."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from conformance.curl import BAGGAGE, CHAT, PROMPT, REPORTS, Caller, is_linked, owner
from tracesplice_testing.gateway import GatewayMode

if TYPE_CHECKING:
    from tracesplice_testing.gateway import Gateway
    from tracesplice_testing.recorder import Recorder, Trace

CACHED = {"cache": {"use-cache": True}}


def question(text: str = "") -> dict[str, Any]:
    """A chat that nobody asked before."""
    return {**CHAT, "messages": [{"role": "user", "content": f"{text}{secrets.token_hex(8)}"}]}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_cached_answer_costs_nothing(caller: Caller, *, stream: bool) -> None:
    body = {**question(), **CACHED, "stream": stream}
    first = caller.another()
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
    is_linked(caller, generation)
    assert generation.user_id == "user 1"
    assert (generation.cost, generation.usage["total"]) == (0, asked.usage["total"])


TWO_ATTEMPTS: dict[str, dict[str, Any]] = {
    "fallback": {"model": "unsure"},
    "fallback, stream": {"model": "unsure", "stream": True},
    "retry": {"model": "flaky", "num_retries": 1},
}


@pytest.mark.parametrize("attempts", TWO_ATTEMPTS)
def test_each_attempt_is_there(caller: Caller, attempts: str) -> None:
    reply = caller.post({**question(), **TWO_ATTEMPTS[attempts]}, baggage=BAGGAGE)
    assert (reply.status, reply.headers[REPORTS]) == (200, "true")
    found = sorted(caller.generations(2), key=lambda each: each.level)
    assert [each.level for each in found] == ["DEFAULT", "ERROR"]
    for each in found:
        is_linked(caller, each)
        assert (each.user_id, each.session_id) == ("user 1", "session-1")
    assert [each.cost for each in found] == [pytest.approx(5e-6), 0]
    assert "asked to fail" in (found[1].status_message or "")


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


@pytest.mark.parametrize("what", ["taken out", "spoilt"])
def test_what_another_callback_does_to_metadata_costs_no_link(caller: Caller, what: str) -> None:
    reply = caller.post({**question(what), "guardrails": ["mine"]}, baggage=BAGGAGE)
    assert (reply.status, reply.headers[REPORTS]) == (200, "true")
    [generation] = caller.generations()
    is_linked(caller, generation)
    assert (generation.user_id, generation.session_id) == ("user 1", "session-1")
    assert generation.cost > 0
    caller.nothing_dropped()


def test_a_call_whose_span_starts_late_is_reported(caller: Caller) -> None:
    reply = caller.post(question("too late "), baggage=BAGGAGE)
    [generation] = caller.generations()
    assert reply.headers[REPORTS] == "true"
    assert (generation.prompt_name, generation.user_id) == (PROMPT, "user 1")
    assert generation.cost > 0


def test_trace_tags_take_no_part_in_routing(
    recorder: Recorder, special: dict[GatewayMode, Gateway], mode: GatewayMode
) -> None:
    caller = Caller(special[mode], recorder)
    assert caller.post({**question(), "litellm_metadata": {"tags": ["mine"]}}).status == 401
    asked = caller.another()
    asked.post({**question(), "litellm_metadata": {**asked.metadata, "trace_tags": ["mine"]}})
    [generation] = asked.generations()
    assert "mine" in generation.tags


SERVER_SPANS: dict[GatewayMode, set[str | None]] = {
    GatewayMode.LANGFUSE_OTEL: {"raw_gen_ai_request"},
    GatewayMode.LANGFUSE_OTEL_V2: {"POST /chat/completions", "auth /chat/completions"},
}


@pytest.mark.parametrize("mode", SERVER_SPANS, ids=lambda mode: mode.value)
def test_server_spans_are_let_in_and_two_workers_do_the_same(
    recorder: Recorder, special: dict[GatewayMode, Gateway], mode: GatewayMode
) -> None:
    callers = [Caller(special[mode], recorder) for _ in range(20)]
    for caller in callers:
        reply = caller.post(question(), baggage=BAGGAGE)
        assert (reply.status, reply.headers[REPORTS]) == (200, "true")
    for caller in callers:
        [generation] = caller.generations()
        assert owner(recorder, generation) == caller.parent_id
        assert (generation.prompt_name, generation.user_id) == (PROMPT, "user 1")
        trace = with_spans(caller, SERVER_SPANS[mode])
        assert [each.type for each in trace.observations].count("GENERATION") == 1
        assert trace.environment == "staging"


def with_spans(caller: Caller, names: set[str | None]) -> Trace:
    def arrived(recorder: Recorder) -> Trace | None:
        trace = recorder.trace(caller.trace_id)
        found = {each.name for each in trace.observations} if trace else set()
        return trace if names <= found else None

    return caller.recorder.wait_for(arrived)
