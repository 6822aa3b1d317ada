"""What the gateway's generations say of usage and cost, and who counts a call."""

from __future__ import annotations

import hashlib
import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from conformance.conftest import OWN_KEY, OWN_PROJECT
from conformance.curl import BAGGAGE, CHAT, REPORTS, Caller, is_linked
from tracesplice_testing.gateway import GatewayMode

if TYPE_CHECKING:
    from tracesplice_testing.gateway import Gateway
    from tracesplice_testing.recorder import Observation, Recorder

KNOWN = "gpt-4o-mini"  # Langfuse has a price for it, unlike for the others
WHOLE_AND_STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def known(text: str = "hi", **others: Any) -> dict[str, Any]:
    return {"model": KNOWN, "messages": [{"role": "user", "content": text}], **others}


@WHOLE_AND_STREAMED
def test_a_failed_attempt_says_zero(caller: Caller, *, stream: bool) -> None:
    retried = caller.another()
    assert caller.post(known("[[fail:500]] hello", stream=stream)).status == 500
    once = f"[[fail-once:503:{retried.trace_id}]] hello"
    assert retried.post(known(once, stream=stream, num_retries=1)).status == 200
    [error] = caller.generations()
    [first, second] = sorted(retried.generations(2), key=lambda each: each.level, reverse=True)
    for each in (error, first):
        assert (each.level, each.cost, each.usage.get("total", 0)) == ("ERROR", 0, 0)
        assert not each.estimated
    assert second.cost > 0


@WHOLE_AND_STREAMED
def test_what_litellm_cannot_read_the_client_counts(caller: Caller, *, stream: bool) -> None:
    caller.recorder.clear()
    reply = caller.post(known(stream=stream), "/direct/chat/completions", baggage=BAGGAGE)
    assert (reply.status, reply.headers[REPORTS]) == (200, "false")
    [generation] = caller.recorder.wait_for(
        lambda made: [each for each in made.observations() if each.type == "GENERATION"] or None
    )
    assert (generation.cost, generation.usage.get("total", 0)) == (0, 0)
    assert not generation.estimated
    assert (generation.user_id, generation.environment) == ("user 1", "staging")
    assert caller.generations() == [generation]


UNSAID = "[[no-usage]] tell me"
STREAMS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/chat/completions", known(UNSAID, stream=True)),
    "responses": ("/responses", {"model": KNOWN, "input": UNSAID, "stream": True}),
    "messages": ("/v1/messages", known(UNSAID, stream=True, max_tokens=9)),
}


@pytest.mark.parametrize("route", STREAMS)
def test_a_stream_without_usage_counts_once(caller: Caller, route: str) -> None:
    path, body = STREAMS[route]
    reply = caller.post(body, path)
    assert reply.status == 200
    [generation] = caller.generations()
    used = (generation.usage.get("total", 0) > 0, generation.cost > 0)
    # Either side counts it: LiteLLM by a tokenizer of its own, or the client.
    assert used == ((True, True) if reply.headers[REPORTS] == "true" else (False, False))


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    # By the gateway itself: there are no messages.
    "whole": ("/chat/completions", {"model": KNOWN}),
    "stream": ("/chat/completions", {"model": KNOWN, "stream": True}),
    "messages": ("/v1/messages", {"model": KNOWN, "max_tokens": 9}),
    "by the provider": ("/chat/completions", known("[[fail:500]]")),
    "image": ("/images/generations", {"model": "image", "prompt": "[[fail:500]]"}),
    "speech": ("/audio/speech", {"model": "speech", "input": "[[fail:500]]", "voice": "alloy"}),
    "moderation": ("/moderations", {"model": "moderate", "input": "[[fail:500]]"}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_failed_call_is_reported_once_where_failures_are_asked_for_too(
    recorder: Recorder, special: dict[GatewayMode, Gateway], what: str
) -> None:
    # This one's configuration has `failure_callback: ["langfuse"]`.
    caller = Caller(special[GatewayMode.LANGFUSE], recorder)
    path, body = REFUSED[what]
    assert caller.post({**body, "litellm_metadata": caller.metadata}, path).status >= 400
    for _ in range(2):  # as the second report may be late
        assert not caller.left_out()
    assert len(caller.generations()) == 1


def test_a_key_with_a_project_of_its_own_is_for_that_project(
    recorder: Recorder, special: dict[GatewayMode, Gateway]
) -> None:
    gateway = special[GatewayMode.LANGFUSE]
    ours, theirs, unsaid = (Caller(gateway, recorder) for _ in range(3))
    key = {"authorization": f"Bearer {OWN_KEY}"}
    answers = [
        ours.post(CHAT, **key, x_tracesplice_project=digest_of(recorder.public_key)),
        theirs.post(CHAT, **key, x_tracesplice_project=digest_of(OWN_PROJECT[0])),
        unsaid.post(CHAT, **key),
    ]
    [followed] = theirs.generations()
    recorder.wait_for(lambda _: len(of_own_project(recorder)) == 3 or None)
    assert [each.headers[REPORTS] for each in answers] == ["false", "true", "false"]
    assert followed.project == OWN_PROJECT[0]
    assert not ours.reported()


def of_own_project(recorder: Recorder) -> list[Observation]:
    found = [each for each in recorder.observations() if each.project == OWN_PROJECT[0]]
    return [each for each in found if each.type == "GENERATION"]


def digest_of(public_key: str) -> str:
    return hashlib.sha256(public_key.encode()).hexdigest()[:16]


FIRST, OTHER = "11" * 16, "22" * 16
UNSAMPLED: dict[str, dict[str, Any]] = {
    "a trace of the body's": {"trace_id": OTHER},
    "its own trace": {"existing_trace_id": FIRST},
    "another, joined": {"existing_trace_id": OTHER, "parent_observation_id": "33" * 8},
}


@pytest.mark.parametrize("what", UNSAMPLED)
def test_the_answer_is_right_for_what_is_not_sampled(caller: Caller, what: str) -> None:
    caller.recorder.clear()
    body = {**CHAT, "litellm_metadata": UNSAMPLED[what]}
    said = caller.post(body, traceparent=f"00-{FIRST}-{'44' * 8}-00").headers[REPORTS]
    assert (said == "true") == reported_before_the_next(caller), caller.recorder.report()


@pytest.mark.parametrize("flags", [("00", "01"), ("01", "00")], ids=str)
def test_the_answer_is_right_for_two_headers(caller: Caller, flags: tuple[str, str]) -> None:
    caller.recorder.clear()
    connection = HTTPConnection("127.0.0.1", caller.gateway.port)
    connection.putrequest("POST", "/chat/completions")
    for flag in flags:
        connection.putheader("traceparent", f"{caller.another().traceparent[:-2]}{flag}")
    body = json.dumps(CHAT).encode()
    key = f"Bearer {caller.gateway.key}"
    for name, value in (("Authorization", key), ("baggage", "langfuse_a=b")):
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Content-Type", "application/json")
    connection.endheaders(body)
    said = connection.getresponse().headers[REPORTS]
    connection.close()
    assert (said == "true") == reported_before_the_next(caller), caller.recorder.report()


def reported_before_the_next(caller: Caller) -> bool:
    following = caller.another()
    following.post(CHAT)
    following.generations()
    found = {each.trace_id for each in caller.recorder.observations()}
    return found != {following.trace_id}


RELAYED = {**CHAT, "model": "claude-3-5-sonnet-20240620", "max_tokens": 9}
NOT_COUNTED = {
    "in another project": {"x_tracesplice_project": digest_of("pk-lf-another")},
    "not sampled": {"traceparent": f"00-{FIRST}-{'33' * 8}-00", "baggage": BAGGAGE},
}


@pytest.mark.parametrize("what", NOT_COUNTED)
def test_a_pass_through_endpoint_s_answer_says_who_counts_it(caller: Caller, what: str) -> None:
    other = caller.another().post(RELAYED, "/direct/messages", **NOT_COUNTED[what])
    reply = caller.post(RELAYED, "/direct/messages", baggage=BAGGAGE)
    assert [other.headers[REPORTS], reply.headers[REPORTS]] == ["false", "true"]
    [generation] = caller.generations()
    is_linked(caller, generation)
    assert (generation.user_id, generation.usage["total"] > 0) == ("user 1", True)
