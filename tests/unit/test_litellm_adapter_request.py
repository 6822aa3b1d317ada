"""What the gateway adapter reads of a request and leaves in it; without LiteLLM."""

from __future__ import annotations

from copy import deepcopy
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from langfuse import propagate_attributes
from opentelemetry.baggage.propagation import W3CBaggagePropagator

from tracesplice_litellm._rewrite import restored, splice_request
from tracesplice_wire import Link, PromptRef, project_of

if TYPE_CHECKING:
    from tracesplice_litellm._request import Request

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
OTHER_TRACE, OTHER_SPAN = "1" * 32, "2" * 16
HEADER = f"00-{TRACE}-{SPAN}-01"
UNSAMPLED = f"00-{TRACE}-{SPAN}-00"
OTHERS = {"existing_trace_id": OTHER_TRACE, "parent_observation_id": OTHER_SPAN}


def request(metadata: Any = None, container: str = "metadata", /, **headers: Any) -> dict[str, Any]:
    """A request as LiteLLM hands it to its hooks."""
    return {
        container: {} if metadata is None else metadata,
        "proxy_server_request": {"headers": headers},
    }


def read(metadata: Any = None, container: str = "metadata", /, **headers: Any) -> Request:
    return splice_request(request(metadata, container, **headers))


def written(data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is left of a request's metadata and headers."""
    splice_request(data)
    return data["metadata"], data["proxy_server_request"]["headers"]


def place(found: Request) -> tuple[str | None, str | None]:
    return found.link.trace_id, found.link.parent_id


def said(**attributes: Any) -> Link:
    """What is read of baggage as Langfuse's SDK writes it."""
    carrier: dict[str, str] = {}
    with propagate_attributes(**attributes, as_baggage=True):
        W3CBaggagePropagator().inject(carrier)
    return read(**carrier).link


def test_baggage_is_read_as_langfuses_sdks_write_it() -> None:
    assert said(
        user_id="Zoë + co",
        session_id="a,b;c=d",
        tags=["one", "two, three"],
        trace_name="name",
        environment="staging",
        version="3",
        prompt={"name": "p/q", "version": 3},
    ) == Link(
        user_id="Zoë + co",
        session_id="a,b;c=d",
        tags=("one", "two, three"),
        trace_name="name",
        environment="staging",
        version="3",
        prompt=PromptRef("p/q", 3),
    )
    [(key, value)] = said(metadata={"a": "b"}).metadata
    assert (key, value.strip('"')) == ("a", "b")  # later SDKs write a value as JSON
    of_javascript = read(baggage="langfuse_tags=one%2Ctwo;x=y, langfuse_prompt_name=p").link
    assert (of_javascript.tags, of_javascript.prompt) == (("one", "two"), None)


def test_the_body_goes_before_the_baggage() -> None:
    sent = {"trace_environment": "staging", "version": "1.2", "trace_metadata": {"a": "b", "c": 1}}
    data = request(dict(sent), "litellm_metadata", baggage="langfuse_version=3,langfuse_tags=x")
    link = splice_request(data).link
    assert (link.environment, link.version, link.metadata) == ("staging", "1.2", (("a", "b"),))
    assert link.tags == ("x",)
    assert "trace_environment" not in data["litellm_metadata"]


def test_what_the_baggage_says_is_written_where_litellm_reads_it() -> None:
    said = "langfuse_trace_name=n,langfuse_user_id=u,langfuse_session_id=s,langfuse_tags=t"
    expected = {"trace_name": "n", "trace_user_id": "u", "trace_session_id": "s"}
    assert written(request(baggage=said))[0] == {**expected, "trace_tags": ["t"]}


@pytest.mark.parametrize("container", ["metadata", "litellm_metadata"])
@pytest.mark.parametrize(
    ("ids", "header", "joined", "otel"),
    [
        (OTHERS, HEADER, (OTHER_TRACE, OTHER_SPAN), (OTHER_TRACE, OTHER_SPAN, 1)),
        (OTHERS, UNSAMPLED, (OTHER_TRACE, OTHER_SPAN), (OTHER_TRACE, OTHER_SPAN, 1)),
        ({**OTHERS, "existing_trace_id": TRACE}, UNSAMPLED, (TRACE, OTHER_SPAN), None),
        ({**OTHERS, "existing_trace_id": TRACE}, "", (TRACE, OTHER_SPAN), None),
        ({"parent_observation_id": OTHER_SPAN}, UNSAMPLED, (TRACE, OTHER_SPAN), None),
        ({"existing_trace_id": TRACE}, HEADER, (TRACE, SPAN), (TRACE, SPAN, 1)),
        ({"existing_trace_id": "x", "parent_observation_id": "y"}, HEADER, (TRACE, SPAN), None),
        # Under a parent that never arrives, so that it does not pass for the trace's root.
        ({"existing_trace_id": TRACE}, "", (TRACE, None), (TRACE, TRACE[:16], 1)),
        ({}, UNSAMPLED, (TRACE, SPAN), (TRACE, SPAN, 0)),
        ({}, "", (None, None), None),
    ],
)
def test_the_bodys_ids_go_before_the_header(
    container: str, ids: Any, header: str, joined: Any, otel: Any
) -> None:
    data = request(dict(ids), container, **({"traceparent": header} if header else {}))
    found = splice_request(data)
    assert place(found) == joined
    flags = 0 if header == UNSAMPLED and joined[0] == TRACE else 1
    expected = otel or (joined[0] and (*joined, flags))
    assert found.places.otel == expected
    if expected:  # what LiteLLM goes by
        sent = data["proxy_server_request"]["headers"]["traceparent"]
        assert sent == f"00-{expected[0]}-{expected[1]}-{expected[2]:02x}"
    ids = data[container].get("existing_trace_id"), data[container].get("parent_observation_id")
    assert ids == joined


def test_a_text_that_litellm_makes_an_id_of_is_one() -> None:
    dashed = f"{TRACE[:8]}-{TRACE[8:]}".upper()
    assert read({"existing_trace_id": dashed}).link.trace_id == TRACE
    assert len(read({"existing_trace_id": "my trace"}).link.trace_id or "") == 32


def test_a_trace_that_the_client_starts_is_not_joined() -> None:
    metadata, headers = written(request({"trace_id": OTHER_TRACE}, traceparent=HEADER))
    assert "existing_trace_id" not in metadata
    assert headers["traceparent"] == HEADER
    # Nor does the client start one that LiteLLM read itself.
    metadata, _ = written(request({"trace_id": TRACE}, traceparent=HEADER))
    assert metadata["existing_trace_id"] == TRACE


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
    assert read(ids, traceparent=UNSAMPLED, baggage=baggage).places.sampled is decision


def test_litellms_own_headers_are_checked_and_go_first() -> None:
    sent = {"langfuse_trace_user_id": "u", "langfuse_generation_name": "g" * 201}
    sent |= {
        "langfuse_prompt": "x",
        "langfuse_tags": "x",
        "langfuse_update_trace_keys": "name,input",
    }
    metadata, headers = written(request({"trace_user_id": "body"}, **sent))
    assert (metadata["trace_user_id"], headers) == ("u", {})
    assert metadata["update_trace_keys"] == ["name", "input"]


def test_other_metadata_is_left_alone() -> None:
    data = request({"tags": ["paid"], "mine": {"a": 1}}, baggage="langfuse_tags=x")
    found = splice_request(data)
    assert (data["metadata"]["tags"], data["metadata"]["mine"]) == (["paid"], {"a": 1})
    assert found.link.tags == ("x", "paid")
    data = request({"trace_user_id": "me"}, "litellm_metadata")
    data["metadata"] = {"team": "blue"}  # the provider's
    assert written(data)[0] == {"team": "blue"}


def test_the_configuration_adds_tags_and_limits_what_is_overwritten() -> None:
    sent = {"update_trace_keys": ["name", "input"], "trace_user_id": "u", "label": "red"}
    data = request(deepcopy(sent), **{"x-department": "sales"})
    assert splice_request(data).link.tags == ()
    assert data["metadata"]["update_trace_keys"] == ["name", "input"]
    data = request(deepcopy(sent), **{"x-department": "sales"})
    configured = {"tag_keys": ("label", "none"), "tag_headers": ("x-department", "x-none")}
    found = splice_request(data, **configured, only_our_keys=True)
    assert found.link.tags == ("label:red", "x-department: sales")
    assert data["metadata"]["update_trace_keys"] == ["trace_user_id", "trace_tags"]


def test_whom_the_request_names_is_the_user_where_the_link_names_none() -> None:
    data = request({"user_api_key_end_user_id": "u" * 201})
    assert splice_request(data).link.user_id is None
    assert data["metadata"]["trace_user_id"] is None  # or LiteLLM would take the other
    assert read({"user_api_key_end_user_id": "him"}).link.user_id == "him"
    assert read({"user_api_key_end_user_id": "him", "trace_user_id": "me"}).link.user_id == "me"


def test_on_older_releases_the_merged_metadata_is_what_is_reported() -> None:
    ours = {"existing_trace_id": TRACE, "prompt": {"name": "own", "version": 2, "prompt": ""}}
    data = request(dict(ours), "litellm_metadata")
    data["metadata"] = {**ours, "user_api_key_auth": object()}
    assert written(data)[0]["prompt"] == ours["prompt"]
    assert "prompt" not in data["litellm_metadata"]


OURS, THEIRS = "pk-lf-ours", "pk-lf-theirs"


@pytest.mark.parametrize(
    ("own", "sent", "same"),
    [
        (None, project_of(OURS), True),
        (None, project_of(THEIRS), False),
        (THEIRS, project_of(THEIRS), True),
        (THEIRS, project_of(OURS), False),
        ("\ud800", project_of(OURS), False),
        (None, None, None),
        (None, "", None),
        (None, "not a digest", None),
        (None, project_of(OURS).upper(), None),
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
    found = splice_request(data)
    assert (found.same_project, found.link.user_id) == (same, "u")
    assert (found.link.trace_id is None) is (found.link.prompt is None) is (same is False)
    left = [TRACE in str(part) for part in (data["metadata"], data["proxy_server_request"])]
    assert left == [same is not False] * 2
    assert ("litellm_trace_id" in data) is (same is not False)


@pytest.mark.parametrize(
    "spoilt", [None, "none", {}, {"team": "blue"}, {"prompt": "x", "trace_user_id": {}, "tags": 5}]
)
def test_what_another_callback_writes_costs_no_link(spoilt: Any) -> None:
    prompt = {"name": "greet", "version": 2, "prompt": ""}
    data = request({"prompt": prompt, "trace_user_id": "ann", "note": "kept"}, traceparent=HEADER)
    found = splice_request(data)
    left = data["metadata"]
    before = deepcopy(spoilt)
    again = restored(spoilt, found)
    expected = {key: value for key, value in left.items() if key != "note"}
    assert {**again, **expected} == again
    assert isinstance(again.get("tags", []), list)
    assert spoilt == before
    assert restored({"prompt": "x"}, read()) == {}


@pytest.mark.parametrize("prompt", [None, {"name": "greet", "version": 2, "prompt": ""}])
def test_a_prompt_that_another_callback_links_stays(prompt: Any) -> None:
    theirs = {"name": "theirs", "version": 1, "prompt": "Say {{what}}"}
    found = splice_request(request({"prompt": prompt} if prompt else {}))
    again = restored({"prompt": theirs, "team": "blue"}, found)
    assert again["prompt"] == (prompt or {**theirs, "prompt": ""})
    assert again["team"] == "blue"
