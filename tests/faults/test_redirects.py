"""The HTTP client follows redirects; whose answer it brings is told, and believed or not."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import openai
import pytest

import tracesplice
from faults.compare import chat
from faults.scripted import OK, Reply, moved
from rig.patience import PATIENCE
from tracesplice._calls import calls
from tracesplice.adapter import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langfuse import Langfuse

    from faults.compare import Stage

REPORTS = Reply(headers=(("x-tracesplice-reports", "true"),))
PATH = "/v1/chat/completions"


@pytest.fixture(autouse=True)
def _nothing_reported() -> Iterator[None]:
    yield
    calls.clear()


def client_of(stage: Stage, location: str) -> openai.OpenAI:
    """A client of a gateway that redirects."""
    stage.gateway.script([moved(307, location), REPORTS])
    stage.other.script([REPORTS])
    http_client = openai.DefaultHttpxClient(verify=False)
    return openai.OpenAI(base_url=stage.gateway.url, api_key="k", http_client=http_client)


def says(langfuse: Langfuse, client: openai.OpenAI) -> bool:
    """Whether the gateway is believed to report a call."""
    with langfuse.start_as_current_observation(name="g", as_type="generation") as span:
        chat(client)
    known = calls.find((span.trace_id, span.id))
    assert known is not None
    return known.reported and not known.kept


def test_an_answer_from_elsewhere_is_not_believed(
    stage: Stage, langfuse: Langfuse, caplog: pytest.LogCaptureFixture
) -> None:
    secret = stage.other.url.replace("//", "//user:secret@") + f"{PATH}?key=secret"
    for _ in range(2):
        with client_of(stage, secret) as client:
            assert says(langfuse, tracesplice.splice(client)) is False
    assert b"existing_trace_id" in stage.other.seen[0].body  # with the rest of the request
    [message] = [each.getMessage() for each in caplog.records if "redirected" in each.message]
    assert f"{stage.other.url}{PATH}" in message
    assert "follow_redirects=False" in message
    assert "secret" not in message


def test_an_answer_of_the_same_gateway_is_believed(stage: Stage, langfuse: Langfuse) -> None:
    with client_of(stage, "?again") as client:
        assert says(langfuse, tracesplice.splice(client)) is True


@pytest.mark.usefixtures("_uninstrument")
def test_the_gateway_that_redirects_is_named(
    stage: Stage, langfuse: Langfuse, caplog: pytest.LogCaptureFixture
) -> None:
    tracesplice.instrument(["http://another.test:4000", stage.gateway.url])
    with client_of(stage, stage.other.url + PATH) as client:
        assert says(langfuse, client) is False
    assert f"the gateway {Gateway.declare(stage.gateway.url)} are redirected" in caplog.text


@pytest.mark.usefixtures("_uninstrument")
def test_an_answer_of_another_declared_gateway_is_believed(
    stage: Stage, langfuse: Langfuse, caplog: pytest.LogCaptureFixture
) -> None:
    tracesplice.instrument(stage.urls)
    with client_of(stage, stage.other.url + PATH) as client:
        assert says(langfuse, client) is True
    assert "redirected" not in caplog.text


def test_a_call_that_is_cancelled_leaves_no_connection_open(
    stage: Stage, langfuse: Langfuse
) -> None:
    stage.gateway.script([moved(307, stage.other.url + PATH)])
    stage.other.script([Reply(held=True)])

    async def cancelled() -> None:
        http_client = openai.DefaultAsyncHttpxClient(verify=False)
        async with openai.AsyncOpenAI(
            base_url=stage.gateway.url, api_key="k", http_client=http_client
        ) as client:
            call = asyncio.ensure_future(chat(tracesplice.splice(client), stream=True))
            while not stage.other.seen:
                await asyncio.sleep(0.001)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            deadline = time.monotonic() + PATIENCE
            while stage.other.open and time.monotonic() < deadline:
                await asyncio.sleep(0.001)
            assert stage.other.open == stage.gateway.open == 0

    with langfuse.start_as_current_observation(name="s"):
        asyncio.run(asyncio.wait_for(cancelled(), PATIENCE))
    stage.other.script([OK])
