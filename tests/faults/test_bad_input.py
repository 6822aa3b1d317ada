"""Bad input costs no call: it is refused where it is configured, or left out and logged once."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langfuse import propagate_attributes

import tracesplice
from faults.scripted import OK
from faults.wire import client_of, links, say

if TYPE_CHECKING:
    from langfuse import Langfuse

    from faults.compare import Stage
    from tracesplice_testing.model import ModelServer


@pytest.mark.parametrize("version", [0, "3"])
def test_a_generations_bad_prompt_is_left_out(
    wire: ModelServer, langfuse: Langfuse, caplog: pytest.LogCaptureFixture, version: Any
) -> None:
    prompt: Any = SimpleNamespace(name="greeting", version=version, is_fallback=False)
    generation = langfuse.start_as_current_observation(
        name="g", as_type="generation", prompt=prompt
    )
    with client_of(wire) as client, generation:
        for _ in range(2):
            say(tracesplice.splice(client))
    for _, metadata, _ in links(wire):
        assert metadata["existing_trace_id"]
        assert "prompt" not in metadata
    assert caplog.text.count("was not linked") == 1


@pytest.mark.parametrize("session_id", ["s" * 300, "Grüße, 世界", "line\nbreak"])
def test_odd_session_ids(
    wire: ModelServer, langfuse: Langfuse, caplog: pytest.LogCaptureFixture, session_id: str
) -> None:
    with (
        client_of(wire) as client,
        propagate_attributes(session_id=session_id, user_id="u"),
        langfuse.start_as_current_observation(name="s") as span,
    ):
        # As an application sets it that does not use Langfuse's own check.
        span._otel_span.set_attribute("session.id", session_id)
        for _ in range(2):
            say(tracesplice.splice(client))
    fits = len(session_id) <= 200
    for _, metadata, _ in links(wire):
        assert metadata.get("session_id") == (session_id if fits else None)
        assert metadata["trace_user_id"] == "u"
    assert caplog.text.count("was left out") == (0 if fits else 1)


@pytest.mark.parametrize("metadata", ["text", ["list"], 3])
def test_metadata_that_is_no_dict_goes_out_as_written(
    wire: ModelServer, langfuse: Langfuse, caplog: pytest.LogCaptureFixture, metadata: Any
) -> None:
    body = {"litellm_metadata": metadata}
    with client_of(wire) as client, langfuse.start_as_current_observation(name="s"):
        for _ in range(2):
            say(tracesplice.splice(client), extra_body=body)
    for request in wire.calls:
        assert request.json["litellm_metadata"] == metadata
        assert "traceparent" in request.headers
    assert caplog.text.count("neither a dict") == 1


@pytest.mark.usefixtures("lenient")
def test_a_fault_of_ours_costs_no_call(
    wire: ModelServer,
    langfuse: Langfuse,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("tracesplice._sdk_request.link_request", broken)
    with (
        caplog.at_level(logging.WARNING),
        client_of(wire) as client,
        langfuse.start_as_current_observation(name="s"),
    ):
        for _ in range(2):
            assert say(tracesplice.splice(client)).choices[0].message.content == "echo: hi"
    assert [metadata for _, metadata, _ in links(wire)] == [{}, {}]
    assert caplog.text.count("fault of tracesplice") == 1


def test_the_callers_own_error_is_the_callers(wire: ModelServer, langfuse: Langfuse) -> None:
    def error_of(client: Any) -> openai.APIConnectionError:
        with pytest.raises(openai.APIConnectionError) as caught:
            say(client, extra_headers={"x-bad": "line\nbreak"})
        return caught.value

    with client_of(wire, max_retries=0) as client, langfuse.start_as_current_observation(name="s"):
        plain, spliced = error_of(client), error_of(tracesplice.splice(client))
    assert repr(spliced) == repr(plain)
    assert repr(spliced.__cause__) == repr(plain.__cause__)


def test_what_the_caller_wrote_wins(wire: ModelServer, langfuse: Langfuse) -> None:
    body = {"metadata": {"trace_user_id": "mine"}, "litellm_metadata": {"trace_name": "mine"}}
    headers = {"Traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    with (
        client_of(wire) as client,
        propagate_attributes(user_id="ambient", trace_name="ambient", session_id="ambient"),
        langfuse.start_as_current_observation(name="s"),
    ):
        say(tracesplice.splice(client), extra_body=body, extra_headers=headers)
    [request] = wire.calls
    sent = request.json["litellm_metadata"]
    assert request.headers["traceparent"] == headers["Traceparent"]
    assert request.json["metadata"] == {"trace_user_id": "mine"}
    assert isinstance(sent, dict)
    assert sent["existing_trace_id"] == "a" * 32
    assert sent["trace_name"] == "mine"
    assert sent["session_id"] == "ambient"
    assert "trace_user_id" not in sent
    assert body["litellm_metadata"] == {"trace_name": "mine"}


MINE, OTHER = (f"00-{digit * 32}-{digit * 16}-01" for digit in "ab")


@pytest.mark.parametrize(
    ("default", "own"),
    [
        ({}, {"traceparent": MINE}),
        ({"traceparent": MINE}, {}),
        ({"TraceParent": MINE}, {}),
        ({}, {b"traceparent": MINE.encode()}),
        ({}, {b"TRACEPARENT": MINE}),
        ({"traceparent": MINE}, {"traceparent": OTHER}),
        ({"traceparent": MINE}, {"Traceparent": OTHER}),
        ({}, {"traceparent": openai.omit}),
        ({"traceparent": MINE}, {"traceparent": openai.omit}),
        ({"traceparent": MINE}, {"Traceparent": openai.omit}),
    ],
)
def test_a_caller_s_own_traceparent_wins(
    stage: Stage, langfuse: Langfuse, default: Any, own: Any
) -> None:
    stage.gateway.script([OK])
    http_client = openai.DefaultHttpxClient(verify=False)
    url = stage.gateway.url
    with (
        openai.OpenAI(
            base_url=url, api_key="k", default_headers=default, http_client=http_client
        ) as client,
        langfuse.start_as_current_observation(name="s") as span,
    ):
        say(client, extra_headers=own)
        say(tracesplice.splice(client), extra_headers=own)
    plain, spliced = (
        [value for key, value in seen.headers if key == "traceparent"]
        for seen in stage.gateway.seen
    )
    assert spliced == plain
    metadata = json.loads(stage.gateway.seen[1].body)["litellm_metadata"]
    assert metadata["parent_observation_id"] == (plain[-1].split("-")[2] if plain else span.id)


def test_a_request_below_an_azure_endpoint(stage: Stage, langfuse: Langfuse) -> None:
    stage.gateway.script([OK])
    http_client = openai.DefaultHttpxClient(verify=False)
    with (
        openai.AzureOpenAI(
            azure_endpoint=f"{stage.gateway.url}/gw",
            azure_deployment="d",
            api_version="1",
            api_key="k",
            http_client=http_client,
        ) as client,
        langfuse.start_as_current_observation(name="s"),
    ):
        say(tracesplice.splice(client))
        client.post("/responses", body={"model": "m"}, cast_to=object)
        client.with_options(timeout=9).post("/embeddings", body={"model": "m"}, cast_to=object)
    assert len(stage.gateway.seen) == 3
    for seen in stage.gateway.seen:
        assert seen.path.startswith("/gw/openai/")
        assert b"litellm_metadata" in seen.body
