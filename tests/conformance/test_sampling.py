"""What becomes of the gateway's side of a call that is not sampled, or not to be logged."""

from __future__ import annotations

import hashlib
import importlib
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langchain_openai import ChatOpenAI
from langfuse import Langfuse
from langfuse._client.resource_manager import LangfuseResourceManager
from langfuse.langchain import CallbackHandler
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from pydantic import SecretStr

import tracesplice
from conformance.conftest import started
from conformance.curl import CHAT, REPORTS, Caller
from tracesplice_testing.gateway import Gateway, GatewayMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.harness import Stage
    from tracesplice_testing.model import ModelServer

RATE = 0.5
MESSAGES: Any = [{"role": "user", "content": "hello there"}]
COST = 8e-6  # of these and their answer


@dataclass(frozen=True)
class Traces:
    """Ids of two traces, new to the stage.

    Attributes:
        sampled: At `RATE`; Langfuse samples by the lower half of an id alone.
        left_out: Not sampled.
    """

    sampled: str = field(default_factory=lambda: f"{secrets.token_hex(8)}{'1' * 16}")
    left_out: str = field(default_factory=lambda: f"{secrets.token_hex(8)}{'f' * 16}")


@pytest.fixture
def traces(stage: Stage) -> Traces:
    stage.clear()
    return Traces()


@pytest.fixture(scope="module")
def sampling(stage: Stage) -> Iterator[Langfuse]:
    """A client with a sample rate; Langfuse makes one client for each pair of keys."""
    before = dict(LangfuseResourceManager._instances)
    # In the gateway's own project, as a trace of another one is not followed.
    LangfuseResourceManager._instances.clear()
    client = Langfuse(
        base_url=stage.recorder.url,
        public_key=stage.recorder.public_key,
        secret_key=stage.recorder.secret_key,
        tracer_provider=TracerProvider(sampler=TraceIdRatioBased(RATE)),
        mask_otel_spans=tracesplice.count_usage_once(),
    )
    yield client
    client.shutdown()
    # With two clients in the process, langfuse.openai makes a third that traces nothing, and would
    # trace no call of the tests after these. There is no public way to forget one.
    LangfuseResourceManager._instances.clear()
    LangfuseResourceManager._instances.update(before)


@contextmanager
def calling(gateway: Gateway) -> Iterator[Any]:
    with openai.OpenAI(base_url=gateway.url, api_key=gateway.key, max_retries=0) as client:
        yield tracesplice.splice(client)


def ask(langfuse: Langfuse, gateway: Gateway, calls: dict[str, dict[str, Any]]) -> None:
    """Call once in each of these traces, with what goes into the body."""
    with calling(gateway) as client:
        for trace_id, extra in calls.items():
            place: Any = {"trace_id": trace_id}
            with langfuse.start_as_current_observation(
                name="mine",
                as_type="generation",
                cost_details={"total": 1.0},
                trace_context=place,
            ):
                client.chat.completions.create(model="chat", messages=MESSAGES, extra_body=extra)
    langfuse.flush()


def reported(stage: Stage, last: str) -> dict[str, list[float]]:
    """Costs by trace, once the trace that the gateway reports last has its cost."""

    def arrived(_: Any) -> bool:
        return any(each.trace_id == last and each.cost for each in stage.observations())

    stage.recorder.wait_for(arrived)
    found: dict[str, set[float]] = {}
    for each in stage.observations():
        if each.type == "GENERATION":
            # langfuse.openai, once it is imported, makes a generation more, which says zero.
            found.setdefault(each.trace_id, set()).add(each.cost)
    return {trace_id: sorted(costs) for trace_id, costs in found.items()}


def test_the_gateway_leaves_it_out_too(
    stage: Stage, sampling: Langfuse, traces: Traces, gateway: Gateway
) -> None:
    ask(sampling, gateway, {traces.left_out: {}, traces.sampled: {}})
    assert reported(stage, traces.sampled) == {traces.sampled: [0, pytest.approx(COST)]}


def ask_langfuse_openai(gateway: Gateway, trace_id: str) -> None:
    importlib.import_module("langfuse.openai")
    with calling(gateway) as client:
        client.chat.completions.create(model="chat", messages=MESSAGES, trace_id=trace_id)


def ask_langchain(gateway: Gateway, trace_id: str) -> None:
    place: Any = {"trace_id": trace_id}
    handler = CallbackHandler(trace_context=place)
    key = SecretStr(gateway.key)
    llm = tracesplice.splice(ChatOpenAI(base_url=gateway.url, api_key=key, model="chat"))
    llm.invoke("hello there", {"callbacks": [handler]})


@pytest.mark.parametrize("ask", [ask_langchain, ask_langfuse_openai])
def test_so_it_does_where_the_generation_is_the_whole_trace(
    stage: Stage,
    sampling: Langfuse,
    traces: Traces,
    gateway: Gateway,
    ask: Callable[[Gateway, str], None],
) -> None:
    for trace_id in (traces.left_out, traces.sampled):
        ask(gateway, trace_id)
    sampling.flush()
    assert reported(stage, traces.sampled) == {traces.sampled: [0, pytest.approx(COST)]}


@pytest.fixture(scope="module")
def sampler(stage: Stage, model: ModelServer) -> Iterator[Gateway]:
    """One in mode `langfuse`, the only one that heeds a rate, with the application's."""
    with Gateway(
        GatewayMode.LANGFUSE,
        langfuse_env=stage.recorder.env(),
        model_url=model.url,
        extra_env={"LANGFUSE_SAMPLE_RATE": str(RATE)},
        adapter=True,
    ) as gateway:
        yield gateway


def litellm_keeps(trace_id: str) -> bool:
    """As its ``TraceIdHashSampler`` has it, at `RATE`.

    https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse_sdk.py
    """
    digest = hashlib.sha256(bytes.fromhex(trace_id)).digest()
    return int.from_bytes(digest[:8], "big") < RATE * 2**64


def test_both_keep_the_same_traces_at_the_same_rate(
    stage: Stage, sampling: Langfuse, traces: Traces, sampler: Gateway
) -> None:
    while litellm_keeps(traces.sampled) or not litellm_keeps(traces.left_out):
        traces = Traces()
    ask(sampling, sampler, {traces.left_out: {}, traces.sampled: {}})
    assert reported(stage, traces.sampled) == {traces.sampled: [0, pytest.approx(COST)]}


@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "left out"])
def test_litellm_chooses_where_no_application_did(
    stage: Stage, sampler: Gateway, *, keeps: bool
) -> None:
    caller, following = (
        Caller(sampler, stage.recorder, next(each for each in ids() if litellm_keeps(each) is kept))
        for kept in (keeps, True)
    )
    assert caller.post(CHAT).headers[REPORTS] == str(keeps).lower()
    following.post(CHAT)
    following.generations()
    assert len(caller.reported()) == keeps


def ids() -> Iterator[str]:
    return iter(lambda: secrets.token_hex(16), "")


def test_a_call_that_is_not_to_be_logged_keeps_the_client_s_usage(
    stage: Stage, traces: Traces, gateway: Gateway
) -> None:
    ask(stage.langfuse, gateway, {traces.left_out: {"no-log": True}, traces.sampled: {}})
    assert reported(stage, traces.sampled) == {
        traces.left_out: [1.0],
        traces.sampled: [0, pytest.approx(COST)],
    }


STEERED: dict[str, tuple[GatewayMode, dict[str, str], bool]] = {
    "otel follows": (GatewayMode.LANGFUSE_OTEL, {"OTEL_TRACES_SAMPLER": "ALWAYS_ON"}, True),
    "v2 follows": (
        GatewayMode.LANGFUSE_OTEL_V2,
        {"OTEL_TRACES_SAMPLER": "parentbased_always_off"},
        True,
    ),
    "otel is off": (GatewayMode.LANGFUSE_OTEL, {"OTEL_SDK_DISABLED": "true"}, False),
    "langfuse is off": (GatewayMode.LANGFUSE, {"OTEL_SDK_DISABLED": "true"}, False),
}


@pytest.fixture(scope="module")
def steered(stage: Stage, model: ModelServer) -> Iterator[dict[str, Gateway]]:
    """Gateways with OpenTelemetry's variables in their environment."""
    env, url = stage.recorder.env(), model.url
    yield from started(
        {
            name: Gateway(mode, langfuse_env=env, model_url=url, extra_env=extra, adapter=True)
            for name, (mode, extra, _) in STEERED.items()
        }
    )


@pytest.mark.parametrize("name", STEERED)
def test_a_gateway_says_what_opentelemetry_s_variables_let_through(
    stage: Stage, gateways: dict[GatewayMode, Gateway], steered: dict[str, Gateway], name: str
) -> None:
    mode, _, is_reported = STEERED[name]
    caller = Caller(steered[name], stage.recorder)
    body = {**CHAT, "metadata": caller.metadata}
    reply = caller.post(body)
    assert (reply.status, reply.headers[REPORTS]) == (200, str(is_reported).lower())
    following = caller if is_reported else Caller(gateways[mode], stage.recorder)
    following.post(CHAT)
    following.generations()
    assert bool(caller.reported()) is is_reported
