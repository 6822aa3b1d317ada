"""Routes that the OpenAI SDK has no method for, or LiteLLM alone has, through a spliced client.

After the tables, which what these calls report would get in the way of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from langfuse import propagate_attributes

import tracesplice
from conformance.harness import gateway_generations
from rig.gateway import GatewayMode
from shapes.either import TLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.harness import Stage


def post(path: str, **body: Any) -> Callable[[Any], Any]:
    return lambda client: client.post(path, body=body, cast_to=object)


RERANK = {"model": "rerank", "query": "hi", "documents": ["a b", "c"]}
MESSAGES = [{"role": "user", "content": "hi"}]
CALLS: dict[str, Callable[[Any], Any]] = {
    "responses/compact": post("/responses/compact", model="openai-chat", input="hi"),
    "rerank": post("/rerank", **RERANK),
    "v1/rerank": post("/v1/rerank", **RERANK),
    "v2/rerank": post("/v2/rerank", **RERANK),
    "v1/messages": post("/v1/messages", model="openai-chat", messages=MESSAGES, max_tokens=5),
    "videos": lambda client: client.videos.create(model="video", prompt="hi"),
}


@pytest.fixture(params=GatewayMode, ids=lambda mode: mode.value)
def client(stage: Stage, request: pytest.FixtureRequest) -> Iterator[openai.OpenAI]:
    gateway = stage.gateways[request.param]
    with openai.OpenAI(
        base_url=gateway.url,
        api_key=gateway.key,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(verify=TLS),
    ) as made:
        stage.clear()
        yield tracesplice.splice(made)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_under_the_span_it_was_made_in(
    stage: Stage, client: openai.OpenAI, name: str
) -> None:
    with (
        propagate_attributes(user_id="ann", session_id="monday"),
        stage.langfuse.start_as_current_observation(name="s") as span,
    ):
        CALLS[name](client)
    stage.langfuse.flush()
    [generation] = stage.recorder.wait_for(lambda _: gateway_generations(stage) or None)
    assert generation.trace_id == span.trace_id
    assert generation.parent_id == span.id
    assert (generation.user_id, generation.session_id) == ("ann", "monday")
