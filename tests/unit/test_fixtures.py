"""The fixtures of the pytest plugin, as an application's tests use them."""

from __future__ import annotations

import json
import os
import secrets
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest
from langfuse import propagate_attributes

from tracesplice.testing import assert_unified
from tracesplice_wire import project_of

pytest_plugins = "pytester"

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracesplice.testing import GatewayStandIn, Recorder

LINK = {
    "parent_observation_id": "b" * 16,
    "prompt": {"name": "greet", "version": 2, "prompt": ""},
    "trace_user_id": "u",
    "session_id": "s",
    "tags": ["t"],
    "trace_environment": "staging",
}


@pytest.fixture
def trace_id() -> str:
    return secrets.token_hex(16)


@pytest.fixture
def traceparent(trace_id: str) -> dict[str, str]:
    return {"traceparent": f"00-{trace_id}-{'b' * 16}-01"}


def post(
    gateway: GatewayStandIn,
    headers: Mapping[str, str],
    path: str = "/v1/chat/completions",
    question: str = "hi",
    **fields: Any,
) -> str | None:
    body = {"model": "m", "messages": [{"role": "user", "content": question}], **fields}
    request = urllib.request.Request(
        gateway.url + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json", **headers},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request) as answer:
            said: str | None = answer.headers["x-tracesplice-reports"]
    except HTTPError as error:
        error.close()
        said = error.headers["x-tracesplice-reports"]
    return said


def test_what_the_stand_in_reports(
    langfuse_recorder: Recorder,
    gateway_stand_in: GatewayStandIn,
    traceparent: dict[str, str],
    trace_id: str,
) -> None:
    langfuse_recorder.add_prompt("greet", "one")
    langfuse_recorder.add_prompt("greet", "two")
    assert (
        post(
            gateway_stand_in, traceparent, litellm_metadata={**LINK, "existing_trace_id": trace_id}
        )
        == "true"
    )
    [found] = langfuse_recorder.observations()
    assert (found.trace_id, found.parent_id, found.type) == (trace_id, "b" * 16, "GENERATION")
    assert (found.prompt_name, found.prompt_version) == ("greet", 2)
    assert (found.user_id, found.session_id, found.tags) == ("u", "s", ("t",))
    assert found.environment == "staging"
    assert found.usage["total"]
    assert found.cost
    assert langfuse_recorder.problems() == []


def test_a_call_by_headers_alone(
    langfuse_recorder: Recorder,
    gateway_stand_in: GatewayStandIn,
    traceparent: dict[str, str],
    trace_id: str,
) -> None:
    baggage = {"baggage": "langfuse_user_id=u"}
    assert post(gateway_stand_in, {**traceparent, **baggage}) == "true"
    [found] = langfuse_recorder.observations()
    assert (found.trace_id, found.parent_id, found.user_id) == (trace_id, "b" * 16, "u")


def test_a_call_without_a_link_is_a_trace_of_its_own(
    langfuse_recorder: Recorder, gateway_stand_in: GatewayStandIn
) -> None:
    assert post(gateway_stand_in, {}) == "true"
    assert post(gateway_stand_in, {}) == "true"
    first, second = langfuse_recorder.observations()
    assert first.parent_id is second.parent_id is None
    assert first.trace_id != second.trace_id


def test_a_call_of_another_project(
    langfuse_recorder: Recorder,
    gateway_stand_in: GatewayStandIn,
    traceparent: dict[str, str],
    trace_id: str,
) -> None:
    other = {"x-tracesplice-project": project_of("pk-other")}
    assert (
        post(
            gateway_stand_in,
            {**traceparent, **other},
            litellm_metadata={**LINK, "existing_trace_id": trace_id},
        )
        == "false"
    )
    [found] = langfuse_recorder.observations()
    assert found.trace_id != trace_id
    assert (found.prompt_name, found.user_id) == (None, "u")


def test_a_failed_call_and_no_call_of_a_model(
    langfuse_recorder: Recorder, gateway_stand_in: GatewayStandIn, traceparent: dict[str, str]
) -> None:
    assert post(gateway_stand_in, traceparent, question="[[fail:503]]") is None
    assert post(gateway_stand_in, traceparent, path="/v1/files") is None
    [found] = langfuse_recorder.observations()
    assert (found.level, found.cost) == ("ERROR", 0)


def test_a_gateway_that_does_not_report(
    langfuse_recorder: Recorder, gateway_stand_in: GatewayStandIn, traceparent: dict[str, str]
) -> None:
    gateway_stand_in.reports = False
    assert post(gateway_stand_in, traceparent) == "false"
    assert langfuse_recorder.observations() == []


def test_the_environment_names_both(
    langfuse_recorder: Recorder, gateway_stand_in: GatewayStandIn
) -> None:
    assert os.environ["LANGFUSE_BASE_URL"] == langfuse_recorder.url
    assert os.environ["LITELLM_PROXY_API_BASE"] == gateway_stand_in.url
    assert os.environ["LITELLM_PROXY_API_KEY"] == gateway_stand_in.key


@pytest.mark.parametrize("round_", [1, 2])
def test_each_test_starts_empty(langfuse_recorder: Recorder, round_: int) -> None:
    """What a gateway still reports of a trace of an earlier test is not kept."""
    assert langfuse_recorder.traces() == []
    langfuse_recorder.clear(for_good=True)


def test_what_comes_late_is_not_kept(
    langfuse_recorder: Recorder, gateway_stand_in: GatewayStandIn, traceparent: dict[str, str]
) -> None:
    post(gateway_stand_in, traceparent)
    langfuse_recorder.clear(for_good=True)
    post(gateway_stand_in, traceparent)
    post(gateway_stand_in, {"traceparent": f"00-{'c' * 32}-{'b' * 16}-01"})
    assert [trace.id for trace in langfuse_recorder.traces()] == ["c" * 32]


SUITE = """
import sys
from tracesplice.testing import assert_unified

def test_it(litellm_gateway):
    pass

def test_imports():
    ours = {"langfuse", "tracesplice", "starlette", "uvicorn", "rich"}
    assert not ours & {name.partition(".")[0] for name in sys.modules}
"""


def test_without_a_litellm_environment_it_says_what_to_type(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRACESPLICE_GATEWAY_VENV", raising=False)
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_subprocess("-rs", "-k", "test_it")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*pytest --litellm-venv=.venv-gateway*"])


def test_an_environment_without_litellm_is_an_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_subprocess("--litellm-venv=nowhere", "-k", "test_it")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*nowhere/bin/pip install 'litellm?proxy?' 'langfuse>=4.7,<5' tracesplice-litellm*"]
    )


def test_the_plugin_imports_next_to_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE.replace("from tracesplice.testing import assert_unified", ""))
    pytester.runpytest_subprocess("-k", "test_imports").assert_outcomes(passed=1)


def test_a_call_whose_client_is_not_spliced_is_seen(
    langfuse_recorder: Recorder, gateway_stand_in: GatewayStandIn
) -> None:
    with propagate_attributes(user_id="u"):
        post(gateway_stand_in, {})
    with pytest.raises(AssertionError, match="nothing of the application's arrived"):
        assert_unified(langfuse_recorder, timeout=0)
