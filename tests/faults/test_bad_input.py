"""Bad input costs no call: it is refused where it is configured, or left out and logged once."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import openai
import pytest

import tracesplice
from faults.scripted import OK
from faults.wire import client_of, links, say

if TYPE_CHECKING:
    from langfuse import Langfuse

    from faults.compare import Stage
    from tracesplice_testing.model import ModelServer


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
