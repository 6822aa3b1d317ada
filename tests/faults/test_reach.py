"""Nothing of ours goes to a host that is no declared gateway."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import httpx
import openai
import pytest
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Route

import tracesplice
from faults.wire import carries_nothing, client_of, links, say
from rig.recorder._server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langfuse import Langfuse
    from starlette.requests import Request

    from rig.model import ModelServer

MOVED_AWAY, MOVED_HERE, LOOP = "/away", "/here", "/loop"


@pytest.fixture
def redirector(elsewhere: ModelServer) -> Iterator[str]:
    """A gateway's address that redirects: to another host, to itself, round and round."""

    def redirect(request: Request) -> RedirectResponse:
        if request.url.path.startswith(MOVED_AWAY):
            return RedirectResponse(elsewhere.url + "/v1/chat/completions", 307)
        if request.url.path.startswith(MOVED_HERE):
            return RedirectResponse("/away/v1/chat/completions", 308)
        return RedirectResponse(request.url.path, 307)

    server = Server(Starlette(routes=[Route("/{path:path}", redirect, methods=["POST"])]))
    yield server.url
    server.stop()


def test_a_spliced_client_links(wire: ModelServer, langfuse: Langfuse) -> None:
    with client_of(wire) as client, langfuse.start_as_current_observation(name="s") as span:
        say(tracesplice.splice(client))
    [(_, metadata, traceparent)] = links(wire)
    assert metadata["existing_trace_id"] == span.trace_id
    assert traceparent is not None
    assert traceparent.startswith(f"00-{span.trace_id}-{span.id}-")


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


def test_a_copy_for_another_host_carries_nothing(
    wire: ModelServer, elsewhere: ModelServer, langfuse: Langfuse
) -> None:
    with client_of(wire) as client, langfuse.start_as_current_observation(name="s"):
        say(tracesplice.splice(client).with_options(base_url=f"{elsewhere.url}/v1"))
    assert carries_nothing(elsewhere)


def test_a_base_url_changed_afterwards_carries_nothing(
    wire: ModelServer, elsewhere: ModelServer, langfuse: Langfuse
) -> None:
    with client_of(wire) as client, langfuse.start_as_current_observation(name="s"):
        tracesplice.splice(client).base_url = f"{elsewhere.url}/v1"
        say(client)
    assert carries_nothing(elsewhere)


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
        tracesplice.unsplice(tracesplice.splice(client))
        assert vars(client) == before
        say(client)
    assert carries_nothing(wire)


def test_a_splice_changes_no_type_and_is_idempotent(wire: ModelServer) -> None:
    with client_of(wire) as client:
        once = dict(vars(tracesplice.splice(client)))
        assert vars(tracesplice.splice(client)) == once
        assert type(client) is openai.OpenAI


def test_a_providers_address_is_refused() -> None:
    with (
        openai.OpenAI(api_key="k") as client,
        pytest.raises(tracesplice.TracespliceError, match=r"OpenAI itself.*base_url="),
    ):
        tracesplice.splice(client)
    with pytest.raises(tracesplice.TracespliceError, match="OpenAI itself"):
        tracesplice.instrument(gateway="https://api.openai.com/v1")


def test_a_redirect_within_the_gateway_keeps_the_link(
    wire: ModelServer, langfuse: Langfuse
) -> None:
    def redirect(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{wire.url}/v1/chat/completions", 308)

    server = Server(Starlette(routes=[Route("/{path:path}", redirect, methods=["POST"])]))
    try:
        with (
            openai.OpenAI(base_url=server.url, api_key="k") as client,
            langfuse.start_as_current_observation(name="s") as span,
        ):
            tracesplice.instrument(gateway=[server.url, wire.url])
            say(client)
    finally:
        tracesplice.uninstrument()
        server.stop()
    [(_, metadata, _)] = links(wire)
    assert metadata["existing_trace_id"] == span.trace_id


def test_a_redirect_loop_ends_as_it_does_without_tracesplice(
    redirector: str, langfuse: Langfuse
) -> None:
    url = f"{redirector}{LOOP}/v1"
    with (
        openai.OpenAI(base_url=url, api_key="k", max_retries=0) as client,
        langfuse.start_as_current_observation(name="s"),
        pytest.raises(openai.APIConnectionError),
    ):
        say(tracesplice.splice(client))


def test_a_client_that_does_not_follow_redirects_does_not(
    redirector: str, elsewhere: ModelServer, langfuse: Langfuse
) -> None:
    http_client = openai.DefaultHttpxClient(follow_redirects=False)
    url = f"{redirector}{MOVED_AWAY}/v1"
    with (
        openai.OpenAI(base_url=url, api_key="k", http_client=http_client) as client,
        langfuse.start_as_current_observation(name="s"),
        pytest.raises(openai.APIStatusError) as caught,
    ):
        say(tracesplice.splice(client))
    assert caught.value.status_code == httpx.codes.TEMPORARY_REDIRECT
    assert not elsewhere.requests
