"""What ``tracesplice-litellm`` reads of a request and leaves in it, in a real gateway."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from conformance.curl import BAGGAGE, CHAT, PROMPT, REPORTS, Caller, is_linked
from conformance.forms import Form
from conformance.requests import encoded

if TYPE_CHECKING:
    from tracesplice_testing.gateway import Reply
    from tracesplice_testing.model import ModelServer
    from tracesplice_testing.recorder import Observation

# OpenAI's own: texts of at most 512 characters, which a user may call as Langfuse does its own.
WRITTEN = {
    "prompt": "greeting-v3",
    "tags": "a,b",
    "version": "3",
    "trace_name": "mine",
    "trace_id": "",
    "existing_trace_id": "",
    "parent_observation_id": "no hex",
    "session_id": "s" * 300,
    "trace_environment": "Mine",
    "note": "n" * 512,
}
RESPONSES: dict[str, Any] = {"model": "openai-chat", "input": "hi"}
STORED = {
    "responses": ("/responses", RESPONSES),
    "stream": ("/responses", {**RESPONSES, "stream": True}),
    "compact": ("/responses/compact", RESPONSES),
}


@pytest.mark.parametrize("linked", [True, False], ids=["linked", "plain"])
@pytest.mark.parametrize("route", STORED)
def test_the_provider_gets_what_the_client_wrote(
    caller: Caller, model: ModelServer, route: str, linked: bool
) -> None:
    path, body = STORED[route]
    link = {"litellm_metadata": {**caller.metadata, "trace_user_id": "ann"}} if linked else {}
    reply = caller.post({**body, "metadata": WRITTEN, **link}, path)
    assert reply.status == 200, reply.body
    assert model.calls[-1].json["metadata"] == WRITTEN
    assert answered(reply)["metadata"] == WRITTEN
    [generation] = caller.generations()
    if linked:
        is_linked(caller, generation)
        assert generation.user_id == "ann"
    assert generation.session_id is None
    caller.nothing_dropped()


def answered(reply: Reply) -> dict[str, Any]:
    """A Responses answer, be it whole or the last event of a stream."""
    if reply.body.startswith(b"{"):
        return dict(reply.json)
    events = [line[6:] for line in reply.body.decode().splitlines() if line.startswith("data: {")]
    return dict(json.loads(events[-1])["response"])


def test_anthropic_s_user_is_the_provider_s_user(caller: Caller, model: ModelServer) -> None:
    theirs = {"max_tokens": 5, "metadata": {"user_id": "theirs"}}
    caller.post({**CHAT, **theirs, "model": "openai-chat"}, "/v1/messages", baggage=BAGGAGE)
    assert model.calls[-1].json["user"] == "theirs"
    [generation] = caller.generations()
    is_linked(caller, generation)
    assert generation.user_id == "user 1"


MESSAGE = {**CHAT, "model": "claude", "max_tokens": 5}
TOOL_SESSION = "e96634a3-fa28-4083-b354-55542e2dca01"
TOOL_HEADER = {"x-claude-code-session-id": TOOL_SESSION}
TOOL_USER = {"metadata": {"user_id": f"user_1_account__session_{TOOL_SESSION}"}}
# What tools send by themselves: Claude Code both; LiteLLM takes either for the session.
TOOLS: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "Claude Code's header": ("/v1/messages?beta=true", MESSAGE, TOOL_HEADER),
    "Claude Code's user": ("/v1/messages?beta=true", {**MESSAGE, **TOOL_USER}, {}),
    "such a header at chat": ("/chat/completions", CHAT, TOOL_HEADER),
}


@pytest.mark.parametrize("by", ["body", "baggage", "nothing"])
@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_s_own_session_gives_way_to_the_link_s(
    caller: Caller, model: ModelServer, tool: str, by: str
) -> None:
    route, body, headers = TOOLS[tool]
    session = {"session_id": "session-1", "trace_session_id": "session-1"}
    link = {"litellm_metadata": {**caller.metadata, **session}} if by == "body" else {}
    baggage = BAGGAGE if by == "baggage" else ""
    reply = caller.post({**body, **link}, route, baggage=baggage, **headers)
    assert reply.headers[REPORTS] == "true"
    [generation] = caller.generations()
    assert generation.session_id == (TOOL_SESSION if by == "nothing" else "session-1")
    assert model.calls[-1].json.get("metadata") == body.get("metadata")
    caller.nothing_dropped()


SPEECH = {"model": "speech", "input": "hi", "voice": "alloy"}


@pytest.mark.parametrize(
    ("path", "body"),
    [("/chat/completions", CHAT), ("/audio/speech", SPEECH)],
    ids=["chat", "speech"],
)
def test_the_gateway_s_own_user_is_not_the_trace_s(
    caller: Caller, path: str, body: dict[str, Any]
) -> None:
    caller.post(body, path)
    [generation] = caller.generations()
    assert (generation.user_id, generation.session_id) == (None, None)


def the_generation(caller: Caller, body: dict[str, Any], **headers: str) -> Observation:
    reply = caller.post(body, **headers)
    assert (reply.status, reply.headers[REPORTS]) == (200, "true")
    [generation] = caller.generations()
    caller.nothing_dropped()
    return generation


def test_whom_the_request_names_is_the_user_where_the_link_names_none(caller: Caller) -> None:
    named = {**CHAT, "user": "openai-user"}
    generation = the_generation(caller, named)
    assert (generation.user_id, generation.session_id) == ("openai-user", None)
    other = caller.another()
    assert the_generation(other, named, baggage="langfuse_user_id=ann").user_id == "ann"
    other = caller.another()
    generation = the_generation(other, CHAT, **{"x-litellm-customer-id": "by-header"})
    assert generation.user_id == "by-header"


def test_tags_of_the_configuration_are_added_to_the_clients(caller: Caller) -> None:
    body = {**CHAT, "metadata": {"label": "red"}, "tags": ["routed"]}
    generation = the_generation(caller, body, baggage=BAGGAGE, **{"x-department": "sales"})
    expected = {"tag-1", "tag-2", "routed", "label:red", "x-department: sales"}
    assert set(generation.tags) == expected


@pytest.mark.parametrize(
    "body",
    [{**CHAT, "user": "u" * 300}, {**CHAT, "metadata": {"user_id": "u" * 300}}],
    ids=["user", "metadata"],
)
def test_a_user_that_langfuse_does_not_take_is_left_out(
    caller: Caller, body: dict[str, Any]
) -> None:
    assert the_generation(caller, body).user_id is None
    name = f"alone-{caller.parent_id}"
    link = {"litellm_metadata": {"generation_name": name}}
    caller.post({**body, **link}, traceparent="")

    [alone] = caller.recorder.wait_for(
        lambda made: [each for each in made.observations() if each.name == name] or None
    )
    assert (alone.user_id, alone.session_id) in ((None, None), ("default_user_id", None))
    assert not [each for each in caller.recorder.problems() if each.trace_id == alone.trace_id]


def test_ids_in_the_body_alone_are_joined(caller: Caller) -> None:
    # A client of tracesplice puts a trace that is named by hand into the header, too.
    parent = caller.trace_id[:16]
    header = f"00-{caller.trace_id}-{parent}-01"
    caller.post({**CHAT, "metadata": {"trace_id": caller.trace_id}}, traceparent=header)
    caller.recorder.wait_for(lambda _: caller.reported() or None)
    other = caller.another()
    text = {"existing_trace_id": f"trace of {other.trace_id}"}
    known = sha256(text["existing_trace_id"].encode()).hexdigest()[:32]
    other.post({**CHAT, "metadata": text}, traceparent="")
    found = replace(other, trace_id=known)
    caller.recorder.wait_for(lambda _: found.reported() or None)


@pytest.mark.parametrize("value", ["[{[]}]", "[" * 300, "['a'", "%ff", "x" * 300, "[1, None]"])
def test_bad_tags_take_nothing_along(caller: Caller, value: str) -> None:
    sent = f"langfuse_tags={value},{BAGGAGE.replace('langfuse_tags', 'langfuse_x')}"
    generation = the_generation(caller, CHAT, baggage=sent)
    is_linked(caller, generation)
    found = (generation.user_id, generation.session_id, generation.environment)
    assert found == ("user 1", "session-1", "staging")


def test_a_text_for_the_provider_does_not_cover_the_prompt(caller: Caller) -> None:
    body = {**CHAT, "metadata": {"prompt": PROMPT}, "litellm_metadata": caller.metadata}
    is_linked(caller, the_generation(caller, body))


KEYS = (
    *("existing_trace_id", "trace_id", "parent_observation_id", "prompt", "trace_tags"),
    *("trace_user_id", "session_id", "trace_session_id", "trace_name", "generation_name"),
    *("generation_id", "version", "trace_version", "trace_release", "trace_metadata", "tags"),
    *("trace_environment", "update_trace_keys", "user_id", "mask_input", "tracesplice_call"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**62, 1.5, "", "x", "u" * 201, "\u0000", "0" * 32),
    *(
        "a" * 32,
        "[{[]}]",
        [],
        [[]],
        ["a", None, {}],
        {},
        {"a": {"b": [1]}},
        [f"t{n}" for n in range(99)],
    ),
    *({"name": "x", "version": "1" * 99, "prompt": ""}, {"type": "chat", "name": 1, "version": 2}),
)
TEXTS = ("", "x", "[{[]}]", "['a'", "%ff%00", "9" * 4400, "=;,", "u" * 300, "a%2Cb")
SENT = (
    "prompt_name",
    "prompt_version",
    "user_id",
    "session_id",
    "tags",
    "environment",
    "metadata_",
)


def hostile(chance: Random) -> tuple[dict[str, Any], dict[str, str]]:
    body = dict(CHAT, user=chance.choice(("", "x", "u" * 300)))
    for container in chance.sample(("metadata", "litellm_metadata"), chance.randint(0, 2)):
        keys = chance.sample(KEYS, chance.randint(1, 6))
        body[container] = {key: chance.choice(VALUES) for key in keys}
    sent = (f"langfuse_{name}={chance.choice(TEXTS)}" for name in chance.sample(SENT, 4))
    headers = {"baggage": ",".join(sent), "langfuse_trace_user_id": chance.choice(TEXTS)}
    parent = chance.choice((f"00-{'a' * 32}-{'b' * 16}-01", f"00-{'0' * 32}-{'b' * 16}-01", "x"))
    return body, {**headers, "traceparent": parent}


def test_no_request_costs_a_call_or_the_header(caller: Caller) -> None:
    plain = caller.post(CHAT).json["choices"]
    chance = Random(13)
    for number in range(60):
        body, headers = hostile(chance)
        reply = caller.gateway.post("/chat/completions", body, headers)
        assert reply.status == 200, (number, body, headers, reply.body)
        assert reply.json["choices"] == plain
        assert reply.headers[REPORTS] in ("true", "false"), (number, body, headers)
    following = caller.another()
    is_linked(following, the_generation(following, CHAT, baggage=BAGGAGE))
    problems = caller.recorder.problems()
    assert not [each for each in problems if not each.kind.startswith("prompt")], problems


def test_a_place_in_another_project_is_not_followed(caller: Caller) -> None:
    user = f"of-{caller.parent_id}"
    sent = {"baggage": f"{BAGGAGE},langfuse_user_id={user}", "x-tracesplice-project": "0" * 16}
    body = {**CHAT, "litellm_metadata": caller.metadata}
    reply = caller.post(body, **sent)
    assert (reply.status, reply.headers[REPORTS]) == (200, "false")

    [generation] = caller.recorder.wait_for(
        lambda made: [each for each in made.observations() if each.user_id == user] or None
    )
    assert generation.trace_id != caller.trace_id
    assert (generation.parent_id, generation.prompt_name) == (None, None)
    assert generation.session_id == "session-1"
    assert not [each for each in caller.recorder.observations() if each.trace_id == caller.trace_id]


def test_json_text_in_a_form_is_read(caller: Caller) -> None:
    fields = {"model": "transcribe", "litellm_metadata": json.dumps(caller.metadata)}
    fields["metadata"] = json.dumps({"trace_user_id": "ann", "prompt": "mine"})
    content, kind = encoded(fields, Form("/audio/transcriptions", "form"))
    reply = caller.post(content, "/audio/transcriptions", traceparent="", content_type=kind)
    assert reply.status == 200, reply.body
    [generation] = caller.generations()
    is_linked(caller, generation)
    assert generation.user_id == "ann"


@pytest.mark.parametrize("what", ["generateContent", "streamGenerateContent"])
def test_a_model_of_another_protocol_is_linked_at_google_s_route(caller: Caller, what: str) -> None:
    # LiteLLM makes a second call of it, with an id and an object for its loggers of its own.
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    reply = caller.post(body, f"/v1beta/models/openai-chat:{what}", baggage=BAGGAGE)
    assert (reply.status, reply.headers[REPORTS]) == (200, "true")
    [generation] = caller.generations()
    is_linked(caller, generation)
    found = (generation.user_id, generation.session_id, generation.environment)
    assert found == ("user 1", "session-1", "staging")
    assert generation.cost > 0


def test_a_call_that_is_refused_is_not_in_the_trace_it_names(caller: Caller) -> None:
    banned = {**CHAT, "api_base": "http://127.0.0.1:1", "litellm_metadata": caller.metadata}
    assert caller.post(banned).status >= 400
    assert caller.left_out()
