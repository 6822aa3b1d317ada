"""How the gateway adapter reads a link and writes it back; without LiteLLM."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langfuse import propagate_attributes
from opentelemetry.baggage.propagation import W3CBaggagePropagator

from tracesplice_litellm._baggage import langfuse_baggage, traceparent
from tracesplice_litellm._link import Place, PromptRef
from tracesplice_litellm._project import digest
from tracesplice_litellm._read import read_link
from tracesplice_litellm._write import joined_place, write_link
from unit.test_litellm_adapter_values import ANYTHING

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
OTHER_TRACE, OTHER_SPAN = "1" * 32, "2" * 16
HEADER = f"00-{TRACE}-{SPAN}-01"
UNSAMPLED = f"00-{TRACE}-{SPAN}-00"


def request(
    metadata: dict[str, Any] | None = None, container: str = "metadata", **headers: str
) -> dict[str, Any]:
    """A request as LiteLLM hands it to its hooks."""
    return {container: metadata or {}, "proxy_server_request": {"headers": headers}}


def written(data: dict[str, Any]) -> dict[str, Any]:
    write_link(data, read_link(data))
    return data


MALFORMED = (
    "",
    "x",
    HEADER[:-1],
    HEADER.replace("00-", "ff-", 1),
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    HEADER.upper(),
    f"{HEADER}x",
)


@pytest.mark.parametrize("value", MALFORMED)
def test_a_traceparent_is_checked(value: str) -> None:
    assert traceparent({"traceparent": value}) is None
    assert traceparent({"traceparent": f" {HEADER} "}) == Place(TRACE, SPAN, True)
    assert traceparent({"traceparent": HEADER[:-1] + "0"}) == Place(TRACE, SPAN, False)


def test_baggage_is_read_as_langfuses_sdk_writes_it() -> None:
    carrier: dict[str, str] = {}
    with propagate_attributes(
        user_id="Zoë + co",
        session_id="a,b;c=d",
        tags=["one", "two, three"],
        trace_name="name",
        environment="staging",
        prompt={"name": "p/q", "version": 3},
        as_baggage=True,
    ):
        W3CBaggagePropagator().inject(carrier)
    link = read_link(request({}, **carrier))
    assert (link.user_id, link.session_id) == ("Zoë + co", "a,b;c=d")
    assert (link.tags, link.trace_name) == (("one", "two, three"), "name")
    assert (link.prompt, link.environment) == (PromptRef("p/q", 3), "staging")


def test_what_propagate_attributes_says_of_the_trace_is_read() -> None:
    sent = {"trace_environment": "staging", "version": "1.2", "trace_metadata": {"a": "b", "c": 1}}
    data = request(dict(sent), "litellm_metadata", baggage="langfuse_version=3")
    link = read_link(data)
    assert (link.environment, link.version, link.trace_metadata) == ("staging", "1.2", {"a": "b"})
    assert "trace_environment" not in written(data)["litellm_metadata"]
    carrier: dict[str, str] = {}
    with propagate_attributes(metadata={"a": "b"}, version="3", as_baggage=True):
        W3CBaggagePropagator().inject(carrier)
    link = read_link(request({}, **carrier))
    assert link.version == "3"
    assert link.trace_metadata["a"].strip('"') == "b"  # later SDKs write a value as JSON


def test_baggage_is_read_as_the_javascript_sdk_writes_it() -> None:
    link = read_link(request(baggage="langfuse_tags=one%2Ctwo;x=y, langfuse_prompt_name=p"))
    assert (link.tags, link.prompt) == (("one", "two"), None)


@given(st.text())
def test_any_baggage_can_be_read(value: str) -> None:
    langfuse_baggage({"baggage": value})
    read_link(request(baggage=f"langfuse_tags={value},langfuse_prompt_version={value}"))


@pytest.mark.parametrize("container", ["metadata", "litellm_metadata"])
def test_the_bodys_ids_go_before_the_header(container: str) -> None:
    ids = {"existing_trace_id": OTHER_TRACE, "parent_observation_id": OTHER_SPAN}
    link = read_link(request(ids, container, traceparent=HEADER))
    assert joined_place(link) == Place(OTHER_TRACE, OTHER_SPAN)


def test_the_bodys_parent_goes_before_the_headers() -> None:
    ids = {"existing_trace_id": TRACE, "parent_observation_id": OTHER_SPAN}
    assert read_link(request(ids, traceparent=HEADER)).place == Place(TRACE, OTHER_SPAN)
    assert read_link(request(ids)).place == Place(TRACE, OTHER_SPAN)


def test_the_header_fills_what_the_body_lacks() -> None:
    link = read_link(request({"existing_trace_id": TRACE}, traceparent=HEADER))
    assert link.place == Place(TRACE, SPAN)
    assert joined_place(link) is None


def test_invalid_ids_give_way_to_the_header() -> None:
    ids = {"existing_trace_id": "x", "parent_observation_id": "y"}
    data = written(request(ids, traceparent=HEADER))
    assert data["metadata"]["existing_trace_id"] == TRACE
    assert data["metadata"]["parent_observation_id"] == SPAN


def test_a_trace_without_a_parent_gets_one_that_is_no_root() -> None:
    place = joined_place(read_link(request({"existing_trace_id": TRACE})))
    assert place is not None
    assert place.trace_id == TRACE
    assert place.parent_id


def test_a_trace_that_the_client_starts_is_not_joined() -> None:
    data = written(request({"trace_id": OTHER_TRACE}, traceparent=HEADER))
    assert "existing_trace_id" not in data["metadata"]
    assert data["proxy_server_request"]["headers"]["traceparent"] == HEADER


def test_what_litellm_reads_itself_is_not_taken_for_the_clients() -> None:
    data = written(request({"trace_id": TRACE}, traceparent=HEADER))
    assert data["metadata"]["existing_trace_id"] == TRACE


def test_the_sampling_decision_is_kept() -> None:
    data = written(request({"parent_observation_id": OTHER_SPAN}, traceparent=UNSAMPLED))
    sent = data["proxy_server_request"]["headers"]["traceparent"]
    assert sent == f"00-{TRACE}-{OTHER_SPAN}-00"


def test_the_sampling_decision_for_another_trace_is_not() -> None:
    ids = {"existing_trace_id": OTHER_TRACE, "parent_observation_id": OTHER_SPAN}
    data = written(request(ids, traceparent=UNSAMPLED))
    sent = data["proxy_server_request"]["headers"]["traceparent"]
    assert sent == f"00-{OTHER_TRACE}-{OTHER_SPAN}-01"


@pytest.mark.parametrize(
    ("ids", "baggage", "decision"),
    [
        ({"existing_trace_id": TRACE}, "", False),
        ({}, "langfuse_user_id=u", False),
        ({}, "someone=else", None),
        ({"existing_trace_id": OTHER_TRACE}, "langfuse_user_id=u", None),
        ({"trace_id": OTHER_TRACE}, "langfuse_user_id=u", None),
    ],
    ids=["by its body", "by its baggage", "not at all", "another", "one it starts"],
)
def test_an_application_s_decision_is_for_the_trace_it_names(
    ids: dict[str, Any], baggage: str, decision: bool | None
) -> None:
    assert read_link(request(ids, traceparent=UNSAMPLED, baggage=baggage)).sampled is decision


def test_litellms_own_headers_are_checked_and_go_first() -> None:
    headers = {"langfuse_trace_user_id": "u", "langfuse_generation_name": "g" * 201}
    data = written(request({"trace_user_id": "body"}, **headers, langfuse_prompt="x"))
    assert data["metadata"]["trace_user_id"] == "u"
    assert data["proxy_server_request"]["headers"] == {}


def test_routing_tags_and_other_metadata_are_left_alone() -> None:
    data = written(request({"tags": ["paid"], "mine": {"a": 1}}, baggage="langfuse_tags=x"))
    assert data["metadata"]["tags"] == ["paid"]
    assert data["metadata"]["mine"] == {"a": 1}


KEYS = [
    "existing_trace_id",
    "trace_id",
    "parent_observation_id",
    "prompt",
    "tags",
    "trace_user_id",
    "session_id",
    "generation_name",
    "update_trace_keys",
]


@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING))
def test_what_is_written_is_valid_whatever_was_sent(metadata: dict[str, Any]) -> None:
    found = written(request(metadata))["metadata"]
    prompt = found.get("prompt")
    assert prompt is None or (type(prompt["version"]) is int and prompt["name"])
    for key in ("existing_trace_id", "trace_user_id", "session_id", "generation_name"):
        assert found.get(key) is None or (isinstance(found[key], str) and found[key])


@given(ANYTHING, ANYTHING, ANYTHING)
def test_no_request_is_too_strange(metadata: Any, other: Any, headers: Any) -> None:
    written({"metadata": metadata, "litellm_metadata": other, "proxy_server_request": headers})


def test_a_client_overwrites_no_more_of_a_trace_than_is_ours() -> None:
    data = request({"update_trace_keys": ["name", "input"], "trace_user_id": "u"})
    write_link(data, read_link(data), only_our_keys=True)
    assert data["metadata"]["update_trace_keys"] == ["trace_user_id"]
    assert written(request({"update_trace_keys": ["name"]}))["metadata"]["update_trace_keys"]


def test_on_older_releases_the_merged_metadata_is_what_is_reported() -> None:
    ours = {"existing_trace_id": TRACE, "prompt": {"name": "own", "version": 2, "prompt": ""}}
    data = request(dict(ours), "litellm_metadata")
    data["metadata"] = {**ours, "user_api_key_auth": object()}
    assert written(data)["metadata"]["prompt"] == ours["prompt"]


def test_a_providers_metadata_is_left_alone() -> None:
    data = request({"trace_user_id": "me"}, "litellm_metadata")
    data["metadata"] = {"team": "blue"}
    assert written(data)["metadata"] == {"team": "blue"}


OURS, THEIRS = "pk-lf-ours", "pk-lf-theirs"


@pytest.mark.parametrize(
    ("own", "sent", "same"),
    [
        (None, digest(OURS), True),
        (None, digest(THEIRS), False),
        (THEIRS, digest(THEIRS), True),
        (THEIRS, digest(OURS), False),
        (None, None, None),
        (None, "", None),
        (None, "not a digest", None),
        (None, digest(OURS).upper(), None),
    ],
)
def test_a_client_may_say_which_project_it_means(
    monkeypatch: pytest.MonkeyPatch, own: str | None, sent: str | None, same: bool | None
) -> None:
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", OURS)
    header = {} if sent is None else {"x-tracesplice-project": sent}
    prompt = {"name": "greet", "version": 2, "prompt": ""}
    data = request({"trace_user_id": "u", "prompt": prompt}, traceparent=HEADER, **header)
    data["litellm_trace_id"] = data["metadata"]["trace_id"] = TRACE
    params = {"langfuse_public_key": own}
    data["litellm_logging_obj"] = SimpleNamespace(standard_callback_dynamic_params=params)
    link = read_link(data)
    assert (link.same_project, link.user_id) == (same, "u")
    assert (link.place is None) is (link.prompt is None) is (same is False)
    write_link(data, link)
    left = [TRACE in str(part) for part in (data["metadata"], data["proxy_server_request"])]
    assert left == [same is not False] * 2
    assert ("litellm_trace_id" in data) is (same is not False)
