"""What the table's check (g) does not see: sums by user and session, late spans, what is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from langfuse import propagate_attributes
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.llms.openai_like import OpenAILike
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

import tracesplice
from conformance.harness import gateway_generations
from rig.gateway import GatewayMode
from shapes.either import TLS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conformance.harness import Stage
    from rig.recorder import Observation

USERS = {"ann": ("monday", "tuesday"), "bob": ("monday-2",)}


@pytest.fixture
def ask(stage: Stage, mode: GatewayMode) -> Iterator[Any]:
    """Asks the gateway once, in a generation that gives usage and cost of its own."""
    gateway = stage.gateways[mode]
    with tracesplice.splice(
        openai.OpenAI(base_url=gateway.url, api_key=gateway.key, max_retries=0)
    ) as client:

        def call(method: str = "chat", model: str = "chat") -> None:
            with stage.langfuse.start_as_current_observation(
                name="mine",
                as_type="embedding" if method == "embed" else "generation",
                model=model,
                usage_details={"input": 100, "output": 100},
                cost_details={"total": 1.0},
            ):
                if method == "embed":
                    client.embeddings.create(model=model, input="hello")
                else:
                    messages: Any = [{"role": "user", "content": "hello there"}]
                    client.chat.completions.create(model=model, messages=messages)

        stage.clear()
        yield call


@pytest.mark.parametrize("mode", GatewayMode)
def test_every_cent_is_in_its_user_s_and_session_s_sum_once(
    stage: Stage, mode: GatewayMode, ask: Any
) -> None:
    for user, sessions in USERS.items():
        for session in sessions:
            with propagate_attributes(user_id=user, session_id=session):
                ask()
                ask()
    stage.langfuse.flush()
    calls = 2 * sum(map(len, USERS.values()))
    generations = stage.recorder.wait_for(lambda recorder: _all(stage, calls))
    [cost] = {each.cost for each in generations}
    assert cost > 0
    by_user, by_session = stage.recorder.cost_by_user(), stage.recorder.cost_by_session()
    assert by_user == pytest.approx(
        {user: 2 * len(sessions) * cost for user, sessions in USERS.items()}
    )
    assert by_session == pytest.approx(
        {session: 2 * cost for sessions in USERS.values() for session in sessions}
    )
    assert sum(each.cost for each in stage.observations()) == pytest.approx(calls * cost)


def _all(stage: Stage, calls: int) -> list[Observation] | None:
    found = gateway_generations(stage)
    return found if len(found) == calls else None


@pytest.mark.parametrize("mode", [GatewayMode.LANGFUSE_OTEL_V2])
def test_what_the_gateway_does_not_report_the_client_counts(stage: Stage, ask: Any) -> None:
    # LITELLM_OTEL_V2 makes no generation of an `ollama/` embedding, and the adapter says so.
    ask("embed", "embed")
    ask()
    stage.langfuse.flush()
    [chat] = stage.recorder.wait_for(lambda recorder: _all(stage, 1))
    assert chat.type == "GENERATION"
    mine = {each.type: each.cost for each in stage.observations() if each.name == "mine"}
    assert mine == {"EMBEDDING": 1.0, "GENERATION": 0}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("method", ["stream_complete", "stream_chat", "stream"])
def test_a_stream_that_is_not_read_to_its_end_says_zero_too(stage: Stage, method: str) -> None:
    # OpenInference waits a minute for the rest of it. Outer spans end first here: they are exported
    # before what they describe.
    stage.clear()
    instrumentor = LlamaIndexInstrumentor()
    instrumentor.instrument(tracer_provider=stage.provider)
    http = openai.DefaultHttpxClient(verify=TLS)
    stream = _stream(stage, method, http)
    next(stream)
    waiting = _outermost_first(each for each in _spans_of(instrumentor) if each.active)
    assert len(waiting) > 1
    for span in waiting:
        span.end()
        stage.langfuse.flush()
    stream.close()
    http.close()
    instrumentor.uninstrument()
    ended = {f"{span._otel_span.get_span_context().span_id:016x}" for span in waiting}
    [generation] = stage.recorder.wait_for(
        lambda _: _all(stage, 1) if _seen(stage, ended) else None
    )
    assert sum(each.cost for each in stage.observations()) == generation.cost > 0


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


def _outermost_first(spans: Iterable[Any]) -> list[Any]:
    return sorted(spans, key=lambda span: int(span._otel_span.start_time))


def _seen(stage: Stage, ids: set[str]) -> bool:
    return ids <= {each.id for each in stage.observations()}


@pytest.mark.parametrize("mode", GatewayMode)
def test_a_stream_that_is_left_is_counted_once(stage: Stage, mode: GatewayMode) -> None:
    gateway = stage.gateways[mode]
    stage.clear()
    text = f"[[pace:0.2]] {'a word ' * 20}"
    with (
        tracesplice.splice(openai.OpenAI(base_url=gateway.url, api_key=gateway.key)) as client,
        stage.langfuse.start_as_current_observation(
            name="mine", as_type="generation", model="chat", input=text
        ),
    ):
        stream = client.chat.completions.create(
            model="chat", messages=[{"role": "user", "content": text}], stream=True
        )
        next(stream)
        stream.close()
    stage.langfuse.flush()
    [generation] = stage.recorder.wait_for(lambda _: _all(stage, 1))
    assert sum(each.cost for each in stage.observations()) == generation.cost > 0


@pytest.mark.parametrize("mode", GatewayMode)
def test_all_cost_is_where_the_application_s_trace_is(
    stage: Stage, mode: GatewayMode, ask: Any
) -> None:
    with propagate_attributes(
        environment="staging", version="1.2", trace_name="checkout", metadata={"team": "red"}
    ):
        ask()
    stage.langfuse.flush()
    [generation] = stage.recorder.wait_for(lambda _: _all(stage, 1))
    assert generation.cost > 0
    found = stage.observations()
    assert {each.environment for each in found} == {"staging"}
    assert generation.attributes["langfuse.version"] == "1.2"
    assert generation.metadata["team"] == "red"
    [trace] = [each for each in stage.recorder.traces() if each.id == generation.trace_id]
    assert (trace.name, trace.environment) == ("checkout", "staging")


@pytest.mark.parametrize("mode", GatewayMode)
def test_a_failed_call_costs_nothing(stage: Stage, mode: GatewayMode) -> None:
    gateway = stage.gateways[mode]
    stage.clear()
    text = f"{'a word ' * 20}[[fail:400]]"
    with (
        tracesplice.splice(
            openai.OpenAI(base_url=gateway.url, api_key=gateway.key, max_retries=0)
        ) as client,
        pytest.raises(openai.APIError),
        stage.langfuse.start_as_current_observation(
            name="mine", as_type="generation", model="gpt-4o-mini", input=text
        ),
    ):
        client.chat.completions.create(model="chat", messages=[{"role": "user", "content": text}])
    stage.langfuse.flush()
    stage.recorder.wait_for(lambda _: _all(stage, 1))
    found = stage.observations()
    assert {each.level for each in found if each.type == "GENERATION"} == {"ERROR"}
    assert not any(each.cost or any(each.usage.values()) for each in found)
