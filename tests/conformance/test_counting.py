"""What the table's check (g) does not see: sums by user and session, late spans, what is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from langfuse import propagate_attributes
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.llms.openai_like import OpenAILike
from openai.types.chat import ChatCompletion, ChatCompletionChunk

import tracesplice
from conformance.harness import gateway_generations
from rig.llama_index_tracing import llama_index_traced
from shapes.either import TLS
from tracesplice_testing.gateway import GatewayMode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.harness import Stage
    from tracesplice_testing.recorder import Observation

USERS = {"ann": ("monday", "tuesday"), "bob": ("monday-2",)}
OWN: dict[str, Any] = {
    "usage_details": {"input": 100, "output": 100},
    "cost_details": {"total": 1.0},
}
"""What the application's generation says itself."""


def ask(
    stage: Stage, client: Any, text: str = "hello there", own: Any = OWN, **more: Any
) -> openai.APIResponse[ChatCompletion]:
    """Ask in a generation of the application's, by a method that `langfuse.openai` leaves alone."""
    body = {"model": "chat", "messages": [{"role": "user", "content": text}], **more}
    raw = {"headers": {"x-stainless-raw-response": "true"}}
    kind = {"stream_cls": openai.Stream[ChatCompletionChunk], "stream": "stream" in more}
    with stage.langfuse.start_as_current_observation(
        name="mine", as_type="generation", model="gpt-4o-mini", input=text, **own
    ):
        answer: openai.APIResponse[ChatCompletion] = client.post(
            "/chat/completions", body=body, cast_to=ChatCompletion, options=raw, **kind
        )
    return answer


def reported(stage: Stage, count: int = 1) -> list[Observation]:
    """The gateway's generations, once there are so many."""
    stage.langfuse.flush()
    return stage.recorder.wait_for(
        lambda _: found if len(found := gateway_generations(stage)) == count else None
    )


def total(stage: Stage) -> float:
    return sum(each.cost for each in stage.observations())


def test_every_cent_is_in_its_user_s_and_session_s_sum_once(
    stage: Stage, client: openai.OpenAI
) -> None:
    for user, sessions in USERS.items():
        for session in sessions:
            with propagate_attributes(user_id=user, session_id=session):
                ask(stage, client)
                ask(stage, client)
    calls = 2 * sum(map(len, USERS.values()))
    [cost] = {each.cost for each in reported(stage, calls)}
    assert cost > 0
    by_user, by_session = stage.recorder.cost_by_user(), stage.recorder.cost_by_session()
    assert by_user == pytest.approx(
        {user: 2 * len(sessions) * cost for user, sessions in USERS.items()}
    )
    assert by_session == pytest.approx(
        {session: 2 * cost for sessions in USERS.values() for session in sessions}
    )
    assert total(stage) == pytest.approx(calls * cost)


@pytest.mark.parametrize("mode", [GatewayMode.LANGFUSE_OTEL_V2])
def test_what_the_gateway_does_not_report_the_client_counts(
    stage: Stage, client: openai.OpenAI
) -> None:
    # LITELLM_OTEL_V2 makes no generation of an `ollama/` embedding, and the adapter says so.
    with stage.langfuse.start_as_current_observation(name="mine", as_type="embedding", **OWN):
        client.post("/embeddings", body={"model": "embed", "input": "hi"}, cast_to=object)
    ask(stage, client)
    [chat] = reported(stage)
    assert chat.type == "GENERATION"
    mine = {each.type: each.cost for each in stage.observations() if each.name == "mine"}
    assert mine == {"EMBEDDING": 1.0, "GENERATION": 0}


def test_an_answer_from_the_gateways_cache_costs_nothing(
    stage: Stage, client: openai.OpenAI, mode: GatewayMode
) -> None:
    cached = {"use-cache": True}
    answers = [ask(stage, client, f"cached in {mode.value}", cache=cached) for _ in range(2)]
    # LITELLM_OTEL_V2 makes no generation of an answer from the cache.
    reported(stage, 1 if mode is GatewayMode.LANGFUSE_OTEL_V2 else 2)
    first, second = (float(each.headers.get("x-litellm-response-cost", 0)) for each in answers)
    assert second == 0 < first
    assert total(stage) == pytest.approx(first)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("method", ["stream_complete", "stream_chat", "stream"])
def test_a_stream_that_is_not_read_to_its_end_says_zero_too(stage: Stage, method: str) -> None:
    # OpenInference waits a minute for the rest of it. Outer spans end first here: they are exported
    # before what they describe.
    stage.clear()
    with llama_index_traced(stage.provider) as instrumentor:
        http = openai.DefaultHttpxClient(verify=TLS)
        stream = _stream(stage, method, http)
        next(stream)
        waiting = [each for each in _spans_of(instrumentor) if each.active]
        waiting.sort(key=lambda span: int(span._otel_span.start_time))
        assert len(waiting) > 1
        for span in waiting:
            span.end()
            stage.langfuse.flush()
        stream.close()
        http.close()
    ended = {f"{span._otel_span.get_span_context().span_id:016x}" for span in waiting}
    stage.recorder.wait_for(lambda _: ended <= {each.id for each in stage.observations()})
    [generation] = reported(stage)
    assert total(stage) == generation.cost > 0


def _stream(stage: Stage, method: str, http: Any) -> Any:
    gateway = stage.gateways[GatewayMode.LANGFUSE]
    model = OpenAILike(
        api_base=gateway.url,
        api_key=gateway.key,
        model="chat",
        is_chat_model=True,
        max_retries=0,
        http_client=http,
    )
    asked: dict[str, Any] = {
        "stream_complete": "hello",
        "stream_chat": [ChatMessage("hello")],
        "stream": PromptTemplate("hello"),
    }
    stream: Iterator[Any] = getattr(tracesplice.splice(model), method)(asked[method])
    return stream


def _spans_of(instrumentor: Any) -> list[Any]:
    handler = instrumentor._span_handler
    return [*handler.open_spans.values(), *handler._export_queue.spans.values()]


def test_a_stream_that_is_left_is_counted_once(stage: Stage, client: openai.OpenAI) -> None:
    stream: Any = ask(stage, client, f"[[pace:0.2]] {'a word ' * 20}", {}, stream=True).parse()
    next(stream)
    stream.close()
    [generation] = reported(stage)
    assert total(stage) == generation.cost > 0


def test_a_failed_call_costs_nothing(stage: Stage, client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIError):
        ask(stage, client, f"{'a word ' * 20}[[fail:400]]", {})
    reported(stage)
    found = stage.observations()
    assert {each.level for each in found if each.type == "GENERATION"} == {"ERROR"}
    assert not any(each.cost or any(each.usage.values()) for each in found)
