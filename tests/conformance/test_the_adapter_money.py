"""What the gateway's generations say of usage and cost, and who counts a call."""

from __future__ import annotations

import hashlib
import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from conformance.curl import BAGGAGE, CHAT, Caller
from rig.gateway import Gateway, GatewayMode

if TYPE_CHECKING:
    from rig.gateway import Reply
    from rig.model import ModelServer
    from rig.recorder import Observation, Recorder

REPORTS = "x-tracesplice-reports"
KNOWN = "gpt-4o-mini"  # Langfuse has a price for it, unlike for the others
BOUNDARY = "tracesplice"
FORM = "".join(
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
    for name, text in (("model", "transcribe"), ('file"; filename="a.wav', "RIFF"))
)


def known(text: str = "hi", **others: Any) -> dict[str, Any]:
    return {"model": KNOWN, "messages": [{"role": "user", "content": text}], **others}


ROUTES: dict[str, tuple[str, Any, float]] = {
    "speech": ("/audio/speech", {"model": "speech", "input": "hi", "voice": "alloy"}, 1e-6),
    "transcription": ("/audio/transcriptions", f"{FORM}--{BOUNDARY}--\r\n".encode(), 0),
    "moderation": ("/moderations", {"model": "moderate", "input": "hi"}, 0),
    "image": ("/images/generations", {"model": "image", "prompt": "hi"}, 4.1e-5),
    "chat": ("/chat/completions", known(), 5e-6),
    "stream": ("/chat/completions", known(stream=True), 5e-6),
    "responses": ("/responses", {"model": KNOWN, "input": "hi"}, 5e-6),
    "responses, stream": ("/responses", {"model": KNOWN, "input": "hi", "stream": True}, 5e-6),
    "messages": ("/v1/messages", known(max_tokens=9), 5e-6),
    "completion": ("/completions", {"model": "openai-completion", "prompt": "hi"}, 5e-6),
    "embeddings": ("/embeddings", {"model": "openai-embed", "input": "hi"}, 1e-6),
}


@pytest.fixture(params=GatewayMode, ids=lambda mode: mode.value)
def gateway(request: pytest.FixtureRequest, gateways: dict[GatewayMode, Gateway]) -> Gateway:
    return gateways[request.param]


def ask(caller: Caller, path: str, body: Any, **headers: str) -> Reply:
    form = f"multipart/form-data; boundary={BOUNDARY}" if isinstance(body, bytes) else ""
    return caller.post(body, path, content_type=form or "application/json", **headers)


def test_the_cost_is_litellm_s_own_on_every_route(gateway: Gateway, recorder: Recorder) -> None:
    asked = {}
    for name, (path, body, _) in ROUTES.items():
        asked[name] = Caller(gateway, recorder)
        reply = ask(asked[name], path, body)
        # LiteLLM asks for no headers of moderations.
        assert (reply.status, reply.headers[REPORTS]) in ((200, "true"), (200, None)), name
    found = {
        name: sum(each.cost for each in caller.generations()) for name, caller in asked.items()
    }
    assert found == pytest.approx({name: cost for name, (*_, cost) in ROUTES.items()})
    assert not [
        each.name for caller in asked.values() for each in caller.reported() if each.estimated
    ]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_failed_attempt_says_zero(gateway: Gateway, recorder: Recorder, *, stream: bool) -> None:
    failed, retried = Caller(gateway, recorder), Caller(gateway, recorder)
    assert failed.post(known("[[fail:500]] hello", stream=stream)).status == 500
    once = f"[[fail-once:503:{retried.trace_id}]] hello"
    assert retried.post(known(once, stream=stream, num_retries=1)).status == 200
    [error] = failed.generations()
    [first, second] = sorted(retried.generations(2), key=lambda each: each.level, reverse=True)
    for each in (error, first):
        assert (each.level, each.cost, each.usage.get("total", 0)) == ("ERROR", 0, 0)
        assert not each.estimated
    assert second.cost > 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_litellm_cannot_read_the_client_counts(
    gateway: Gateway, recorder: Recorder, *, stream: bool
) -> None:
    recorder.clear()
    caller = Caller(gateway, recorder)
    reply = caller.post(known(stream=stream), "/direct/chat/completions", baggage=BAGGAGE)
    assert (reply.status, reply.headers[REPORTS]) == (200, "false")
    [generation] = recorder.wait_for(
        lambda _: [each for each in recorder.observations() if each.type == "GENERATION"] or None
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
def test_a_stream_without_usage_counts_once(
    gateway: Gateway, recorder: Recorder, route: str
) -> None:
    caller = Caller(gateway, recorder)
    path, body = STREAMS[route]
    reply = caller.post(body, path)
    assert reply.status == 200
    [generation] = caller.generations()
    used = (generation.usage.get("total", 0) > 0, generation.cost > 0)
    # Either side counts it: LiteLLM by a tokenizer of its own, or the client.
    assert used == ((True, True) if reply.headers[REPORTS] == "true" else (False, False))


def test_another_project_s_trace_is_its_client_s_to_count(
    gateway: Gateway, recorder: Recorder
) -> None:
    caller = Caller(gateway, recorder)
    for key, answer in ((recorder.public_key, "true"), ("pk-other", "false")):
        assert caller.post(CHAT, x_tracesplice_project=digest_of(key)).headers[REPORTS] == answer


OWN = ("pk-lf-own", "sk-lf-own")
# A key as the gateway's database would have it: https://docs.litellm.ai/docs/proxy/team_logging
OWN_PROJECT = """
import os
from litellm.proxy._types import UserAPIKeyAuth

async def key(request, api_key):
    names = ("langfuse_public_key", "langfuse_secret_key", "langfuse_host")
    settings = dict(zip(names, ("{}", "{}", os.environ["LANGFUSE_HOST"])))
    kinds = {{"callback_name": "langfuse", "callback_type": "success"}}
    return UserAPIKeyAuth(
        api_key=api_key, metadata={{"logging": [{{**kinds, "callback_vars": settings}}]}}
    )
"""


def test_a_key_with_a_project_of_its_own_is_for_that_project(
    recorder: Recorder, model: ModelServer
) -> None:
    recorder.add_project(*OWN)
    with Gateway(
        GatewayMode.LANGFUSE,
        langfuse_env=recorder.env(),
        model_url=model.url,
        files={"own.py": OWN_PROJECT.format(*OWN)},
        config_extra={"general_settings": {"custom_auth": "own.key"}},
        adapter=True,
    ) as gateway:
        ours, theirs, unsaid = (Caller(gateway, recorder) for _ in range(3))
        answers = [
            ours.post(CHAT, x_tracesplice_project=digest_of(recorder.public_key)),
            theirs.post(CHAT, x_tracesplice_project=digest_of(OWN[0])),
            unsaid.post(CHAT),
        ]
        [followed] = theirs.generations()
        recorder.wait_for(lambda _: len(of_own_project(recorder)) == 3 or None)
    assert [each.headers[REPORTS] for each in answers] == ["false", "true", "false"]
    assert followed.project == OWN[0]
    assert not ours.reported()


def of_own_project(recorder: Recorder) -> list[Observation]:
    found = [each for each in recorder.observations() if each.project == OWN[0]]
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
def test_the_answer_is_right_for_what_is_not_sampled(
    gateway: Gateway, recorder: Recorder, what: str
) -> None:
    recorder.clear()
    caller = Caller(gateway, recorder)
    body = {**CHAT, "litellm_metadata": UNSAMPLED[what]}
    said = caller.post(body, traceparent=f"00-{FIRST}-{'44' * 8}-00").headers[REPORTS]
    assert (said == "true") == reported_before_the_next(gateway, recorder), recorder.report()


@pytest.mark.parametrize("flags", [("00", "01"), ("01", "00")], ids=str)
def test_the_answer_is_right_for_two_headers(
    gateway: Gateway, recorder: Recorder, flags: tuple[str, str]
) -> None:
    recorder.clear()
    connection = HTTPConnection("127.0.0.1", gateway.port)
    connection.putrequest("POST", "/chat/completions")
    for flag in flags:
        traceparent = Caller(gateway, recorder).traceparent
        connection.putheader("traceparent", f"{traceparent[:-2]}{flag}")
    body = json.dumps(CHAT).encode()
    for name, value in (("Authorization", f"Bearer {gateway.key}"), ("baggage", "langfuse_a=b")):
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Content-Type", "application/json")
    connection.endheaders(body)
    said = connection.getresponse().headers[REPORTS]
    connection.close()
    assert (said == "true") == reported_before_the_next(gateway, recorder), recorder.report()


def reported_before_the_next(gateway: Gateway, recorder: Recorder) -> bool:
    following = Caller(gateway, recorder)
    following.post(CHAT)
    following.generations()
    others = [each for each in recorder.observations() if each.trace_id != following.trace_id]
    return bool(others)
