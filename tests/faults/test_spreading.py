"""Calls that a framework makes in a thread, and calls in threads that one generation describes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langchain_openai import ChatOpenAI
from langfuse import Langfuse, propagate_attributes
from langfuse.langchain import CallbackHandler

import tracesplice
from tracesplice.testing import assert_unified

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracesplice_testing import GatewayStandIn, Recorder


def invoke(model: ChatOpenAI, config: Any, number: int) -> Any:
    return model.invoke(f"question-{number}", config)


def stream(model: ChatOpenAI, config: Any, number: int) -> Any:
    return list(model.stream(f"question-{number}", config))


@pytest.fixture
def langfuse(langfuse_recorder: Recorder) -> Langfuse:
    return Langfuse(mask_otel_spans=tracesplice.count_usage_once())


@pytest.mark.parametrize("call", [invoke, stream])
def test_a_frameworks_calls(
    call: Callable[[ChatOpenAI, Any, int], Any],
    langfuse: Langfuse,
    langfuse_recorder: Recorder,
    gateway_stand_in: GatewayStandIn,
) -> None:
    model = tracesplice.splice(
        ChatOpenAI(base_url=f"{gateway_stand_in.url}/v1", api_key="k", model="chat")  # type: ignore[arg-type]
    )
    with (
        langfuse.start_as_current_observation(name="request") as span,
        propagate_attributes(user_id="ann"),
        ThreadPoolExecutor(2) as pool,
    ):
        # There are clients of other projects in this process.
        handler = CallbackHandler(public_key=langfuse_recorder.public_key)
        work = partial(call, model, {"callbacks": [handler]})
        list(pool.map(tracesplice.wrap(work), range(3)))
    langfuse.flush()
    assert_unified(langfuse_recorder)
    [trace] = langfuse_recorder.traces()
    runs = [each for each in trace.observations if each.name == "ChatOpenAI"]
    assert [each.parent_id for each in runs] == [span.id] * 3
    assert {each.user_id for each in trace.observations[1:]} == {"ann"}


def test_one_generation_for_calls_in_threads(
    langfuse: Langfuse, langfuse_recorder: Recorder, gateway_stand_in: GatewayStandIn
) -> None:
    client = tracesplice.splice(openai.OpenAI(base_url=gateway_stand_in.url, api_key="k"))

    def ask(number: int) -> int:
        answer = client.chat.completions.create(
            model="chat", messages=[{"role": "user", "content": f"question-{number}"}]
        )
        assert answer.usage is not None
        return answer.usage.total_tokens

    with (
        langfuse.start_as_current_observation(
            name="mine", as_type="generation", model="gpt-4o-mini"
        ) as own,
        ThreadPoolExecutor(2) as pool,
    ):
        own.update(usage_details={"total": sum(pool.map(tracesplice.wrap(ask), range(2)))})
    langfuse.flush()
    [trace] = langfuse_recorder.traces()
    assert len(trace.children(own.id)) == 2
    counted = sum(each.usage["total"] for each in trace.children(own.id))
    assert trace.usage["total"] == counted > 0, trace.tree()
