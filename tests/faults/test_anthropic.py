"""The Anthropic SDK where it is not used plainly: what callers write, other clients, its spans."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from rig.patience import PATIENCE

pytest.importorskip("anthropic", reason="not in this set of packages")

import anthropic
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry.sdk.trace import TracerProvider

import tracesplice
from faults.anthropic_calls import ASKED, link
from tracesplice.adapter import TracespliceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse import Langfuse

    from tracesplice_testing.model import ModelServer

CLOUDS: dict[str, dict[str, Any]] = {
    "AnthropicBedrock": {"aws_region": "r", "aws_access_key": "a", "aws_secret_key": "s"},
    "AnthropicVertex": {"region": "r", "project_id": "p", "access_token": "t"},
    "AnthropicFoundry": {"api_key": "k", "resource": "r"},
}


@pytest.fixture
def client(make_anthropic: Callable[..., Any]) -> Any:
    """A spliced client."""
    return tracesplice.splice(make_anthropic())


@pytest.mark.parametrize("path", ["", "/", "/anthropic", "/anthropic/"])
def test_any_path_of_the_gateway_s(
    make_anthropic: Callable[..., Any], wire: ModelServer, langfuse: Langfuse, path: str
) -> None:
    client = tracesplice.splice(make_anthropic(base_url=f"{wire.url}{path}"))
    with langfuse.start_as_current_observation(name="s") as span:
        client.messages.create(**ASKED)
    assert link(wire)["parent_observation_id"] == span.id


def test_the_address_and_token_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, wire: ModelServer, langfuse: Langfuse
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", wire.url)
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "sk-token")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with (
        anthropic.Anthropic() as client,
        langfuse.start_as_current_observation(name="s") as span,
    ):
        tracesplice.splice(client).messages.create(**ASKED)
    assert link(wire)["parent_observation_id"] == span.id
    assert wire.calls[-1].headers["authorization"] == "Bearer sk-token"


def test_a_provider_s_address_is_refused() -> None:
    with (
        anthropic.Anthropic(api_key="k") as client,
        pytest.raises(TracespliceError, match="is Anthropic itself"),
    ):
        tracesplice.splice(client)


@pytest.mark.parametrize("kind", ["", "Async"])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_client_of_a_cloud_is_refused(cloud: str, kind: str) -> None:
    made = getattr(anthropic, f"{kind}{cloud}")(**CLOUDS[cloud])
    with pytest.raises(TracespliceError, match=f"{cloud} .*splice anthropic.Anthropic"):
        tracesplice.splice(made)
    assert tracesplice.unsplice(made) is made


@pytest.mark.usefixtures("_uninstrument")
def test_calls_to_elsewhere_carry_nothing(
    make_anthropic: Callable[..., Any],
    wire: ModelServer,
    elsewhere: ModelServer,
    langfuse: Langfuse,
) -> None:
    tracesplice.instrument(gateway=wire.url)
    other = make_anthropic(base_url=elsewhere.url)
    with langfuse.start_as_current_observation(name="s"):
        other.messages.create(**ASKED)
        make_anthropic().messages.create(**ASKED)
    assert link(elsewhere) is None
    assert "x-tracesplice-project" not in elsewhere.calls[-1].headers
    assert link(wire) is not None


def test_what_asks_no_model_carries_nothing(
    client: Any, wire: ModelServer, langfuse: Langfuse
) -> None:
    params = {"custom_id": "a", "params": ASKED}
    with langfuse.start_as_current_observation(name="s"):
        client.messages.count_tokens(model="m", messages=ASKED["messages"])
        client.messages.batches.create(requests=[params])
    assert [link(wire, 0), link(wire, 1)] == [None, None]
    assert all("x-tracesplice-project" not in each.headers for each in wire.calls)


def test_what_the_caller_writes_takes_precedence(
    client: Any, wire: ModelServer, langfuse: Langfuse
) -> None:
    mine: dict[str, Any] = {"session_id": "mine", "team": "blue"}
    given = {"litellm_metadata": dict(mine)}
    with langfuse.start_as_current_observation(name="s") as span:
        client.messages.create(**ASKED, metadata={"user_id": "account"}, extra_body=given)
    sent: Any = wire.calls[-1].json
    assert sent["metadata"] == {"user_id": "account"}
    assert sent["litellm_metadata"]["parent_observation_id"] == span.id
    assert {**sent["litellm_metadata"], **mine} == sent["litellm_metadata"]
    assert given == {"litellm_metadata": mine}


@pytest.mark.parametrize("where", ["call", "client", "environment"])
def test_a_trace_that_is_set_by_hand_is_joined(
    make_anthropic: Callable[..., Any],
    wire: ModelServer,
    langfuse: Langfuse,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    written = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    if where == "environment":
        monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", f"traceparent: {written['traceparent']}")
    of_client = {"default_headers": written} if where == "client" else {}
    client = tracesplice.splice(make_anthropic(open_telemetry=False, **of_client))
    with langfuse.start_as_current_observation(name="s"):
        client.messages.create(**ASKED, extra_headers=written if where == "call" else None)
    assert wire.calls[-1].headers["traceparent"] == written["traceparent"]
    found = link(wire)
    assert (found["existing_trace_id"], found["parent_observation_id"]) == ("a" * 32, "b" * 16)


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy.copy": copy.copy,
    "copy": lambda client: client.copy(),
    "with_options": lambda client: client.with_options(timeout=9),
    "with_middleware": lambda client: client.with_middleware(lambda asked, send: send(asked)),
}


@pytest.mark.parametrize("how", COPIES)
def test_copies_are_spliced_and_others_not(
    make_anthropic: Callable[..., Any], client: Any, wire: ModelServer, langfuse: Langfuse, how: str
) -> None:
    if not hasattr(client, "with_middleware") and how == "with_middleware":
        pytest.skip("not in this release")
    with langfuse.start_as_current_observation(name="s"):
        COPIES[how](client).messages.create(**ASKED)
        make_anthropic().messages.create(**ASKED)
        tracesplice.unsplice(client).messages.create(**ASKED)
    assert [link(wire, number) is not None for number in range(3)] == [True, False, False]


def test_the_sdk_is_put_back_with_the_last_spliced_client() -> None:
    names = ("_build_request", "_process_response", "request", "copy", "with_options")
    lines = [
        "import anthropic, tracesplice",
        f"owners, names = (anthropic.Anthropic, anthropic.AsyncAnthropic), {names}",
        "methods = lambda: [id(getattr(owner, name)) for owner in owners for name in names]",
        "before = methods()",
        "client = anthropic.Anthropic(base_url='http://localhost:1', api_key='k')",
        "copied = tracesplice.splice(client).with_options(timeout=9)",
        "tracesplice.unsplice(client)",
        "assert methods() != before",
        "tracesplice.unsplice(copied)",
        "assert methods() == before",
    ]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, timeout=PATIENCE)


def test_a_client_with_another_address_is_spliced_anew(
    make_anthropic: Callable[..., Any],
    wire: ModelServer,
    elsewhere: ModelServer,
    langfuse: Langfuse,
) -> None:
    client = tracesplice.splice(make_anthropic(base_url=elsewhere.url))
    client.base_url = wire.url
    with langfuse.start_as_current_observation(name="s"):
        client.messages.create(**ASKED)
        tracesplice.splice(client).messages.create(**ASKED)
    assert [link(wire, number) is not None for number in range(2)] == [False, True]


def test_a_stream_that_is_opened_later_takes_no_other_call_along(
    client: Any, wire: ModelServer, langfuse: Langfuse
) -> None:
    provider = TracerProvider()
    AnthropicInstrumentor().instrument(tracer_provider=provider)
    try:
        with langfuse.start_as_current_observation(name="s") as span:
            asked = client.messages.stream(**ASKED)
            client.messages.count_tokens(model="m", messages=ASKED["messages"])
            client.post("/v1/messages", body=ASKED, cast_to=object)  # nothing traces this
            with asked as stream:
                stream.get_final_message()
    finally:
        AnthropicInstrumentor().uninstrument()
    parents = [link(wire, number)["parent_observation_id"] for number in (1, 2)]
    assert parents[0] == span.id
    assert parents[1] != span.id
