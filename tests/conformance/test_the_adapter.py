"""What ``tracesplice-litellm`` takes from headers and body, in gateways called without an SDK."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from conformance.curl import (
    BAGGAGE,
    CHAT,
    PROMPT,
    REPORTS,
    Caller,
    is_linked,
    owner,
)
from conformance.requests import REQUESTS, Request, encoded
from tracesplice_testing.gateway import Gateway, GatewayMode

if TYPE_CHECKING:
    from tracesplice_testing.gateway import Reply
    from tracesplice_testing.recorder import Recorder

# The catalog's forms differ in the link, too, which is another one here.
ROUTES = {
    f"{request.path}{', stream' * request.form.stream}": request for request in REQUESTS.values()
}


def ask(caller: Caller, request: Request, link: dict[str, Any], **headers: str) -> Reply:
    form = request.form.encoding == "form"
    link = {name: json.dumps(value) for name, value in link.items()} if form else link
    content, kind = encoded({**request.body, **link}, request.form)
    return caller.post(content, request.path, content_type=kind, **headers)


@pytest.mark.parametrize("by", ["headers", "body"])
@pytest.mark.parametrize("route", ROUTES)
def test_standard_headers_are_enough_and_so_is_the_body(
    caller: Caller, route: str, by: str
) -> None:
    if by == "headers":
        reply = ask(caller, ROUTES[route], {}, baggage=BAGGAGE)
    else:
        who = {"trace_user_id": "user 1", "session_id": "session-1", "tags": ["tag-1", "tag-2"]}
        link = {**caller.metadata, **who, "trace_environment": "staging"}
        reply = ask(caller, ROUTES[route], {"litellm_metadata": link}, traceparent="")
    # LiteLLM asks for no headers of these.
    unsaid = route.endswith(("moderations", "rerank"))
    assert (reply.status, reply.headers[REPORTS]) == (200, None if unsaid else "true")
    [generation] = caller.generations()
    is_linked(caller, generation)
    found = (generation.user_id, generation.session_id, generation.environment)
    assert found == ("user 1", "session-1", "staging")
    assert set(generation.tags) == {"tag-1", "tag-2"}
    caller.nothing_dropped()


def test_openai_s_metadata_may_hold_the_link(caller: Caller) -> None:
    caller.post({**CHAT, "metadata": caller.metadata}, traceparent="")
    [generation] = caller.generations()
    is_linked(caller, generation)


def test_the_trace_itself_is_left_alone(caller: Caller) -> None:
    caller.post({**CHAT, "litellm_metadata": {"update_trace_keys": ["name", "input", "output"]}})
    caller.generations()
    trace = caller.recorder.trace(caller.trace_id)
    assert trace is not None
    assert trace.name is None
    written = [key for each in trace.observations for key in each.attributes]
    assert not {"langfuse.trace.name", "langfuse.trace.input", "langfuse.trace.output"} & {*written}


def test_the_generation_is_named(caller: Caller) -> None:
    caller.post({**CHAT, "litellm_metadata": {"generation_name": "answer"}})
    [generation] = caller.generations()
    assert generation.name == "answer"


def test_a_foreign_parent_gives_way_to_the_bodys(caller: Caller) -> None:
    foreign = f"00-{caller.trace_id}-{'ab' * 8}-01"
    caller.post({**CHAT, "litellm_metadata": caller.metadata}, traceparent=foreign)
    [generation] = caller.generations()
    is_linked(caller, generation)


def test_a_foreign_trace_gives_way_to_the_bodys(caller: Caller) -> None:
    other = caller.another()
    body = {**CHAT, "litellm_metadata": caller.metadata}
    caller.post(body, traceparent=other.traceparent)
    [generation] = caller.generations()
    is_linked(caller, generation)
    assert not other.reported()


def test_the_body_goes_before_the_baggage(caller: Caller) -> None:
    metadata = {"trace_user_id": "body", "trace_tags": ["body"]}
    caller.post({**CHAT, "litellm_metadata": metadata}, baggage=BAGGAGE)
    [generation] = caller.generations()
    assert (generation.user_id, generation.session_id) == ("body", "session-1")
    assert "body" in generation.tags
    assert "tag-1" not in generation.tags


HOSTILE: dict[str, dict[str, Any]] = {
    "prompt version is text": {"prompt": {"name": PROMPT, "version": "two", "prompt": ""}},
    "prompt version is true": {"prompt": {"name": PROMPT, "version": True, "prompt": ""}},
    "prompt version is huge": {"prompt": {"name": PROMPT, "version": 2**70, "prompt": ""}},
    "prompt version is 0": {"prompt": {"name": PROMPT, "version": 0, "prompt": ""}},
    "prompt has no name": {"prompt": {"version": 2, "prompt": ""}},
    "prompt is a list": {"prompt": [1, 2]},
    "prompt of another shape": {"prompt": {"type": "chat", "name": PROMPT, "version": 2}},
    "ids are no ids": {"existing_trace_id": "../../x", "parent_observation_id": "y"},
    "ids are zero": {"existing_trace_id": "0" * 32, "parent_observation_id": "0" * 16},
    "ids are objects": {"existing_trace_id": {"a": 1}, "parent_observation_id": [1]},
    "user and session are long": {"trace_user_id": "u" * 5000, "session_id": "s" * 201},
    "user is an object": {"trace_user_id": {"a": 1}, "trace_session_id": 7},
    "tags are anything": {"trace_tags": [1, None, {"a": 1}, "t" * 300, "ok"]},
    "tags are many": {"trace_tags": [f"tag-{number}" for number in range(1000)]},
    "tags are text": {"trace_tags": "ok", "update_trace_keys": 7},
    "names are objects": {"generation_name": {"a": 1}, "trace_name": ["x"], "version": {"a": 1}},
    "generation id is an object": {"generation_id": {"a": 1}},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_no_value_costs_an_observation(caller: Caller, what: str) -> None:
    metadata = json.loads(json.dumps(HOSTILE[what]))
    reply = caller.post({**CHAT, "litellm_metadata": metadata})
    assert reply.status == 200, reply.body
    [generation] = caller.generations()
    assert owner(caller.recorder, generation) == caller.parent_id
    assert generation.cost > 0
    caller.nothing_dropped()


@pytest.mark.parametrize(
    "headers",
    [
        {"baggage": "langfuse_prompt_name=curl,langfuse_prompt_version=-2"},
        {"baggage": f"langfuse_user_id={'u' * 300},langfuse_environment=Langfuse"},
        {"baggage": "langfuse_tags=%5B%27a%27%2C,=,;;,langfuse_session_id"},
        {"baggage": "langfuse_user_id=%ff%fe%00"},
        {"langfuse_prompt": "x", "langfuse_trace_user_id": "u" * 300},
        {"langfuse_update_trace_keys": "name,input", "langfuse_parent_observation_id": "x"},
    ],
    ids=str,
)
def test_no_header_costs_an_observation(caller: Caller, headers: dict[str, str]) -> None:
    sent = {"traceparent": caller.traceparent, **headers}
    assert caller.gateway.post("/chat/completions", CHAT, sent).status == 200
    [generation] = caller.generations()
    assert owner(caller.recorder, generation) == caller.parent_id
    caller.nothing_dropped()


@pytest.mark.parametrize("body", [CHAT, {**CHAT, "stream": True}], ids=["whole", "stream"])
def test_a_failed_call_is_in_the_trace_with_its_error(caller: Caller, body: dict[str, Any]) -> None:
    reply = caller.post({**body, "model": "broken"}, baggage=BAGGAGE)
    assert (reply.status, reply.headers[REPORTS]) == (500, None)
    [generation] = caller.generations()
    is_linked(caller, generation)
    assert (generation.level, generation.user_id) == ("ERROR", "user 1")
    assert "asked to fail with 500" in (generation.status_message or "")


def says_no(caller: Caller, body: dict[str, Any], path: str = "/chat/completions") -> None:
    """The gateway says that it does not report the call, and has not."""
    reply = caller.post(body, path)
    assert (reply.status, reply.headers[REPORTS]) == (200, "false")
    assert caller.left_out(), caller.recorder.report()


def test_it_says_no_where_the_caller_wants_no_log(caller: Caller) -> None:
    says_no(caller, {**CHAT, "no-log": True})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/embeddings", {"model": "embed", "input": "hi"}),
        ("/responses", {"model": "mock", "input": "hi"}),
    ],
)
def test_it_says_no_where_v2_makes_no_span(
    gateways: dict[GatewayMode, Gateway], recorder: Recorder, path: str, body: dict[str, Any]
) -> None:
    says_no(Caller(gateways[GatewayMode.LANGFUSE_OTEL_V2], recorder), body, path)


def is_left_out(caller: Caller, body: dict[str, Any] = CHAT, **headers: str) -> None:
    reply = caller.post(body, traceparent=f"{caller.traceparent[:-2]}00", **headers)
    assert reply.headers[REPORTS] == "false"
    assert caller.left_out()


def test_an_unsampled_trace_is_not_reported(caller: Caller) -> None:
    is_left_out(caller, baggage="langfuse_user_id=u")


def test_an_unsampled_trace_that_the_body_names_is_not_reported(caller: Caller) -> None:
    is_left_out(caller, {**CHAT, "litellm_metadata": caller.metadata})


def test_a_lone_header_may_be_of_someone_else_s_trace(caller: Caller) -> None:
    # Of a service mesh with a sample rate, say: to LiteLLM in mode `langfuse` it is only an id.
    if caller.gateway.mode is not GatewayMode.LANGFUSE:
        is_left_out(caller)
        return
    reply = caller.post(CHAT, traceparent=f"{caller.traceparent[:-2]}00")
    assert reply.headers[REPORTS] == "true"
    caller.generations()


def test_the_decision_for_another_trace_is_not_the_one_for_this(caller: Caller) -> None:
    body = {**CHAT, "litellm_metadata": caller.metadata}
    other = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
    reply = caller.post(body, traceparent=other, baggage=BAGGAGE)
    assert reply.headers[REPORTS] == "true"
    [generation] = caller.generations()
    is_linked(caller, generation)


def test_an_image_is_there_once(caller: Caller) -> None:
    # LiteLLM in mode `langfuse` may report it once more, when it reports the next one.
    following = caller.another()
    for each in (caller, following):
        each.post({"model": "image", "prompt": "hi"}, "/images/generations", baggage=BAGGAGE)
        each.generations()
    caller.recorder.wait_for(lambda _: sum_of(caller) == (2, 4.1e-5))
    for generation in caller.reported():
        is_linked(caller, generation)
        assert generation.user_id == "user 1"


def sum_of(caller: Caller) -> tuple[int, float]:
    found = caller.reported()
    tokens = sum(each.usage.get("total", 0) for each in found)
    return tokens, round(sum(each.cost for each in found), 9)
