"""What the LiteLLM SDK sends: only the gateway's calls change, and what callers wrote stays."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

pytest.importorskip("litellm", reason="not in this set of packages")

import litellm
from langfuse import propagate_attributes

import tracesplice
from conformance.forms import link_in
from faults.scripted import Reply, Scripted, moved
from shapes.litellm_clients import WARNINGS, cleared_away
from tracesplice._calls import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langfuse import Langfuse

    from tracesplice_testing.model import ModelServer

pytestmark = WARNINGS
MESSAGES = [{"role": "user", "content": "hi"}]
MODELS = {"completion": "chat", "responses": "openai-chat"}
ASKED: dict[str, dict[str, Any]] = {
    "completion": {"messages": MESSAGES},
    "responses": {"input": "hi"},
}
METHODS = tuple(ASKED)


@pytest.fixture(scope="module", autouse=True)
def _clear_away() -> Iterator[None]:
    with cleared_away():
        yield


@pytest.fixture(autouse=True)
def _instrumented(wire: ModelServer) -> Iterator[None]:
    tracesplice.instrument(gateway=wire.url)
    yield
    tracesplice.uninstrument()
    calls.clear()


def ask(method: str, server: ModelServer | Scripted, kind: str = "sync", **options: Any) -> Any:
    """Ask a server by one of LiteLLM's functions."""
    given = {"api_base": server.url, "api_key": "k", "max_retries": 0, **ASKED[method], **options}
    given.setdefault("model", f"openai/{MODELS[method]}")
    if kind == "sync":
        return getattr(litellm, method)(**given)

    async def aask() -> Any:
        return await getattr(litellm, f"a{method}")(**given)

    return asyncio.run(aask())


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("method", METHODS)
def test_only_the_gateways_calls_change(
    wire: ModelServer, elsewhere: ModelServer, langfuse: Langfuse, method: str, kind: str
) -> None:
    with langfuse.start_as_current_observation(name="s") as span:
        for server in (elsewhere, wire, elsewhere):
            ask(method, server, kind)
    [request] = wire.calls
    assert link_in(request)["parent_observation_id"] == span.id
    tracesplice.uninstrument()
    ask(method, elsewhere, kind)
    assert len({(each.body, each.headers.get("traceparent")) for each in elsewhere.calls}) == 1
    assert all(link_in(each) == {} for each in elsewhere.calls)


@pytest.mark.parametrize("method", METHODS)
def test_a_generation_around_both_keeps_its_figures(
    wire: ModelServer, elsewhere: ModelServer, langfuse: Langfuse, method: str
) -> None:
    wire.answer_headers["x-tracesplice-reports"] = "true"
    found = []
    for servers in ((wire,), (wire, elsewhere)):
        with langfuse.start_as_current_observation(name="g", as_type="generation") as own:
            for server in servers:
                ask(method, server)
        known = calls.find((own.trace_id, own.id))
        assert known is not None
        found.append(known.kept)
    assert found == [False, True]


@pytest.mark.parametrize("method", METHODS)
def test_what_the_caller_wrote_takes_precedence(
    wire: ModelServer, langfuse: Langfuse, method: str
) -> None:
    ids = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}
    written = {"litellm_metadata": {"trace_user_id": "mine", "team": "blue"}}
    with langfuse.start_as_current_observation(name="s"), propagate_attributes(session_id="s-1"):
        ask(method, wire, extra_body=written, extra_headers=ids)
    [request] = wire.calls
    link = link_in(request)
    assert request.headers["traceparent"] == ids["traceparent"]
    assert link["existing_trace_id"] == "1" * 32
    assert (link["trace_user_id"], link["team"], link["session_id"]) == ("mine", "blue", "s-1")
    assert written == {"litellm_metadata": {"trace_user_id": "mine", "team": "blue"}}


def test_a_mocked_call_is_not_sent(wire: ModelServer, langfuse: Langfuse) -> None:
    with langfuse.start_as_current_observation(name="s"):
        answer = ask("completion", wire, mock_response="mocked")
    assert answer.choices[0].message.content == "mocked"
    assert not wire.requests


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_fault_of_ours_costs_no_call(
    wire: ModelServer, langfuse: Langfuse, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRACESPLICE_STRICT", raising=False)
    sent = importlib.import_module("tracesplice_litellm_sdk._post")
    for name in ("link_request", "note_answer"):
        with (
            langfuse.start_as_current_observation(name="s"),
            mock.patch.object(sent, name, side_effect=RuntimeError),
        ):
            assert ask("responses", wire, kind).output[0].content[0].text == "echo: hi"
    assert len(wire.calls) == 2


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_error_is_the_same(wire: ModelServer, langfuse: Langfuse, kind: str) -> None:
    found = []
    for _ in range(2):
        with (
            langfuse.start_as_current_observation(name="s"),
            pytest.raises(litellm.InternalServerError) as raised,
        ):
            ask("responses", wire, kind, input="[[fail:500]]")
        found.append((str(raised.value), raised.value.status_code, raised.value.response))
        tracesplice.uninstrument()
    assert str(found[0]) == str(found[1])


def test_an_answer_from_elsewhere_is_not_believed(
    langfuse: Langfuse, caplog: pytest.LogCaptureFixture
) -> None:
    gateway, other = Scripted(), Scripted()
    reports = (("x-tracesplice-reports", "true"),)
    gateway.script([moved(307, f"{other.url}/responses")])
    other.script([Reply(headers=reports, body=b"{}")])
    try:
        tracesplice.instrument(gateway=gateway.url)
        with (
            langfuse.start_as_current_observation(name="g", as_type="generation") as own,
            pytest.raises(litellm.APIError),  # the answer is none that LiteLLM reads
        ):
            ask("responses", gateway)
    finally:
        gateway.stop()
        other.stop()
    known = calls.find((own.trace_id, own.id))
    assert known is not None
    assert known.kept
    assert "redirected" in caplog.text


def test_a_router_falls_back_to_a_provider(
    wire: ModelServer, elsewhere: ModelServer, langfuse: Langfuse
) -> None:
    def deployment(name: str, server: ModelServer, model: str) -> dict[str, Any]:
        access = {"api_base": server.url, "api_key": "k", "max_retries": 0}
        return {"model_name": name, "litellm_params": {"model": model, **access}}

    router = litellm.Router(
        model_list=[
            deployment("gateway", wire, "litellm_proxy/chat[[fail:500]]"),
            deployment("provider", elsewhere, "openai/chat"),
        ],
        fallbacks=[{"gateway": ["provider"]}],
        num_retries=0,
    )
    with langfuse.start_as_current_observation(name="g", as_type="generation") as own:
        answer = router.completion("gateway", MESSAGES)
    assert answer.choices[0].message.content == "echo: hi"
    [request] = wire.calls
    assert link_in(request)["parent_observation_id"] == own.id
    [other] = elsewhere.calls
    assert not link_in(other)
    assert "traceparent" not in other.headers
    known = calls.find((own.trace_id, own.id))
    assert known is not None
    assert known.kept  # what the provider was asked for is the application's to count


class _OutOfPlace:
    """Refuses to say anything of itself, as a proxy does where there is nothing to stand for."""

    @property
    def __module__(self) -> str:  # type: ignore[override]
        raise RuntimeError("nothing to stand for")

    def __call__(self) -> str:
        return "called"


def test_whatever_can_be_called_runs_in_a_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACESPLICE_STRICT", raising=False)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(_OutOfPlace()).result() == "called"


def test_a_pool_of_the_applications_own_is_left_alone() -> None:
    with ThreadPoolExecutor(1) as pool, propagate_attributes(user_id="u"):
        assert pool.submit(len, "abc").result() == 3
        assert pool.submit(tracesplice.headers).result() == {}
    before = ThreadPoolExecutor.submit
    tracesplice.uninstrument()
    assert before is not ThreadPoolExecutor.submit


IMPORTED_LATER = """
from concurrent.futures import ThreadPoolExecutor
import openai, tracesplice
before = ThreadPoolExecutor.submit
tracesplice.instrument(gateway="http://127.0.0.1:9")
tracesplice.uninstrument()
import litellm
assert ThreadPoolExecutor.submit is before
tracesplice.instrument(gateway="http://127.0.0.1:9")
assert ThreadPoolExecutor.submit is not before
tracesplice.uninstrument()
assert ThreadPoolExecutor.submit is before
"""


def test_pools_are_left_alone_where_litellm_is_imported_too_late() -> None:
    subprocess.run([sys.executable, "-c", IMPORTED_LATER], check=True)


@pytest.mark.parametrize("first", [True, False], ids=["set before", "made later"])
def test_its_own_callbacks_are_warned_of(
    wire: ModelServer, caplog: pytest.LogCaptureFixture, first: bool
) -> None:
    caplog.clear()
    if first:
        with mock.patch.object(litellm, "success_callback", ["langfuse_otel"]):
            tracesplice.instrument(gateway=wire.url)
    else:
        importlib.import_module("litellm.integrations.langfuse.langfuse_otel").LangfuseOtelLogger()
    [said] = [each.getMessage() for each in caplog.records if each.name == "tracesplice"]
    assert "openinference-instrumentation-litellm" in said
