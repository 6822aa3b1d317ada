"""Nothing of ours goes to a host that is no declared gateway."""

from __future__ import annotations

import gc
from contextlib import suppress
from typing import TYPE_CHECKING

import openai
import pytest

import tracesplice
from faults.scripted import OK
from faults.wire import carries_nothing, client_of, links, say

if TYPE_CHECKING:
    from langfuse import Langfuse

    from faults.compare import Stage
    from tracesplice_testing.model import ModelServer


def test_another_client_of_the_same_address_is_left_alone(
    wire: ModelServer, langfuse: Langfuse
) -> None:
    with (
        client_of(wire) as spliced,
        client_of(wire) as other,
        langfuse.start_as_current_observation(name="s"),
    ):
        tracesplice.splice(spliced)
        say(other)
    assert carries_nothing(wire)


@pytest.mark.parametrize("change", ["copy", "set"])
@pytest.mark.parametrize("called_before", [True, False])
def test_a_client_that_got_another_host_carries_nothing(
    wire: ModelServer,
    elsewhere: ModelServer,
    langfuse: Langfuse,
    change: str,
    called_before: bool,
) -> None:
    url = f"{elsewhere.url}/v1"
    with client_of(wire) as client, langfuse.start_as_current_observation(name="s"):
        tracesplice.splice(client)
        if called_before:
            say(client)
        if change == "copy":
            say(client.with_options(base_url=url))
            say(client)
        else:
            client.base_url = url
            say(client)
    assert carries_nothing(elsewhere)
    assert len(links(wire)) == called_before + (change == "copy")


@pytest.mark.usefixtures("_uninstrument")
def test_what_was_declared_for_a_time_carries_nothing_after_it(
    wire: ModelServer, elsewhere: ModelServer, langfuse: Langfuse
) -> None:
    with client_of(wire) as client, langfuse.start_as_current_observation(name="s"):
        tracesplice.splice(client)
        client.base_url = f"{elsewhere.url}/v1"
        tracesplice.instrument(gateway=elsewhere.url)
        say(client)
        tracesplice.uninstrument()
        say(client)
    assert [bool(metadata) for _, metadata, _ in links(elsewhere)] == [True, False]


def test_after_a_call_to_a_model_another_route_carries_nothing(
    wire: ModelServer, langfuse: Langfuse
) -> None:
    with client_of(wire) as client, langfuse.start_as_current_observation(name="s"):
        say(tracesplice.splice(client))
        with suppress(openai.APIStatusError):
            client.post("/files", body={"model": "m"}, cast_to=object)
    assert wire.requests[-1].path == "/v1/files"
    assert "litellm_metadata" not in wire.requests[-1].text


def test_an_absolute_url_of_another_host_carries_nothing(
    wire: ModelServer, elsewhere: ModelServer, langfuse: Langfuse
) -> None:
    url = f"{elsewhere.url}/v1/chat/completions"
    with client_of(wire) as client, langfuse.start_as_current_observation(name="s"):
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        tracesplice.splice(client).post(url, body=body, cast_to=object)
    assert carries_nothing(elsewhere)


@pytest.mark.usefixtures("_uninstrument")
def test_instrument_reaches_declared_gateways_only(
    wire: ModelServer, elsewhere: ModelServer, langfuse: Langfuse
) -> None:
    with (
        client_of(wire) as early,
        client_of(elsewhere) as undeclared,
        langfuse.start_as_current_observation(name="s") as span,
    ):
        tracesplice.instrument(gateway=wire.url)
        say(early)
        say(undeclared)
        with client_of(wire) as late:
            say(late)
    assert [metadata["existing_trace_id"] for _, metadata, _ in links(wire)] == [span.trace_id] * 2
    assert carries_nothing(elsewhere)


@pytest.mark.usefixtures("_uninstrument")
def test_instrument_and_splice_together_link_once(wire: ModelServer, langfuse: Langfuse) -> None:
    tracesplice.instrument(gateway=wire.url)
    with client_of(wire) as client, langfuse.start_as_current_observation(name="s") as span:
        say(tracesplice.splice(tracesplice.splice(client)))
    [(_, metadata, _)] = links(wire)
    assert metadata["parent_observation_id"] == span.id


def test_uninstrument_puts_the_sdk_back(wire: ModelServer, langfuse: Langfuse) -> None:
    gc.collect()  # the clients of other tests
    tracesplice.uninstrument()
    before = {name: getattr(openai.OpenAI, name) for name in ("request", "_build_request")}
    tracesplice.instrument(gateway=wire.url)
    tracesplice.uninstrument()
    assert before == {name: getattr(openai.OpenAI, name) for name in before}
    assert not set(before) & set(vars(openai.OpenAI))
    with client_of(wire) as client, langfuse.start_as_current_observation(name="s"):
        say(client)
    assert carries_nothing(wire)


def test_unsplice_puts_the_client_back(wire: ModelServer, langfuse: Langfuse) -> None:
    with client_of(wire) as client, langfuse.start_as_current_observation(name="s"):
        before = dict(vars(client))
        once = dict(vars(tracesplice.splice(client)))
        assert vars(tracesplice.splice(client)) == once
        assert type(client) is openai.OpenAI
        tracesplice.unsplice(client)
        assert vars(client) == before
        say(client)
    assert carries_nothing(wire)


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("/chat/completions", True),
        ("chat/completions", True),
        ("//evil/chat/completions", True),  # the SDK takes it for a path
        ("./chat/completions", True),
        ("../v1/chat/completions", True),
        ("../../v1/chat/completions", False),
        ("/../../other/v1/chat/completions", False),
        ("%2e%2e/%2e%2e/chat/completions", False),
        ("..%2f..%2fchat/completions", False),
        ("..\\..\\chat/completions", False),
    ],
)
def test_a_path_out_of_the_gateway_s_carries_nothing(
    stage: Stage, langfuse: Langfuse, url: str, linked: bool
) -> None:
    stage.gateway.script([OK])
    with (
        openai.OpenAI(base_url=f"{stage.gateway.url}/gw/v1", api_key="k") as client,
        langfuse.start_as_current_observation(name="s"),
    ):
        tracesplice.splice(client).post(url, body={"model": "m"}, cast_to=object)
    [seen] = stage.gateway.seen
    assert (b"litellm_metadata" in seen.body) is linked
    assert (seen.header("traceparent") is not None) is linked
    assert not linked or seen.path.startswith("/gw/")
