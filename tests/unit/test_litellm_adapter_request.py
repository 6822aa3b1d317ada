"""What the gateway adapter reads of a request and leaves in it; without LiteLLM."""

from __future__ import annotations

import json
from copy import deepcopy
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langfuse import propagate_attributes
from opentelemetry.baggage.propagation import W3CBaggagePropagator

from tracesplice_litellm._rewrite import splice_request
from tracesplice_wire import MAX_ENTRIES, Link, Place, PromptRef, project_of, tags, text
from unit.test_wire_limits import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Mapping

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


# Of any request.

TEXTS = st.text(st.characters(exclude_categories=()), max_size=300)  # surrogates, too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)
HEADER_TEXTS = TEXTS | st.sampled_from(
    ["[{[]}]", "[" * 500, "{}", "[1]", "['a'", "%ff%fe", "=", ",;", "9" * 4400, "x" * 201, ""]
)
# In the body; in baggage, where it has another name; the field of a link; and what is read.
FIELDS: tuple[tuple[str, Any, str, str, str, Any], ...] = (
    ("existing_trace_id", TRACE, "", "", "trace_id", TRACE),
    ("parent_observation_id", SPAN, "", "", "parent_id", SPAN),
    ("prompt", {"name": "greet", "version": 2}, "prompt_name", "greet", "prompt", ("greet", 2)),
    ("prompt", {"name": "greet", "version": 2}, "prompt_version", "2", "prompt", ("greet", 2)),
    ("trace_user_id", "ann", "user_id", "ann", "user_id", "ann"),
    ("session_id", "monday", "session_id", "monday", "session_id", "monday"),
    ("trace_tags", ["blue"], "tags", "blue", "tags", ("blue",)),
    ("trace_name", "morning", "trace_name", "morning", "trace_name", "morning"),
    ("trace_environment", "staging", "environment", "staging", "environment", "staging"),
    ("version", "1.2", "version", "1.2", "version", "1.2"),
    ("trace_metadata", {"a": "b"}, "metadata_a", "b", "metadata", (("a", "b"),)),
)
BODY = {key: value for key, value, *_ in FIELDS}
KEYS = [*BODY, "tags", "trace_id", "generation_name", "update_trace_keys"]


def without(link: Link, field: str) -> dict[str, Any]:
    return {name: value for name, value in link._asdict().items() if name != field}


def whole(*missing: str) -> Link:
    return Link(**{field: value for *_, field, value in FIELDS if field not in missing})


@given(at=st.sampled_from(FIELDS), value=JSON)
def test_a_bad_value_in_the_body_takes_no_other_along(at: tuple[Any, ...], value: Any) -> None:
    key, field = at[0], at[4]
    data = request({**deepcopy(BODY), key: value, "generation_name": "answer"})
    found = splice_request(data)
    if field != "trace_id":  # a text is the id that LiteLLM makes of it
        assert without(found.link, field) == without(whole(), field)
    assert found.generation_name == "answer"
    metadata: Mapping[str, Any] = data["metadata"]
    left = metadata.get("trace_user_id"), metadata.get("trace_name")
    assert left == (found.link.user_id, found.link.trace_name)
    prompt = found.link.prompt
    assert metadata.get("prompt", {}).get("name") == (prompt and prompt.name)


@given(at=st.sampled_from(FIELDS[2:]), value=HEADER_TEXTS, rest=HEADER_TEXTS)
def test_a_bad_value_in_the_baggage_takes_no_other_along(
    at: tuple[Any, ...], value: str, rest: str
) -> None:
    name, field = at[2], at[4]
    sent = [f"langfuse_{each[2]}={each[3]}" for each in FIELDS[2:] if each[2] != name]
    value, rest = (each.replace(",", "").replace("langfuse_", "") for each in (value, rest))
    baggage = ",".join((*sent, f"langfuse_{name}={value}", rest))
    found = read(traceparent=HEADER, baggage=baggage)
    assert without(found.link, field) == without(whole(), field)
    assert found.places.header == found.places.otel == Place(TRACE, SPAN)


@given(
    metadata=JSON | st.dictionaries(st.sampled_from(KEYS), JSON),
    other=JSON | st.dictionaries(st.sampled_from(KEYS), JSON),
    headers=ANYTHING
    | st.dictionaries(
        st.sampled_from(["traceparent", "baggage", "x-tracesplice-project"])
        | st.sampled_from(KEYS).map("langfuse_{}".format),
        HEADER_TEXTS,
    ),
)
def test_what_is_reported_is_valid_and_the_rest_is_left(
    metadata: Any, other: Any, headers: Any
) -> None:
    data = {
        "metadata": deepcopy(metadata),
        "litellm_metadata": other,
        "proxy_server_request": {"headers": headers},
    }
    splice_request(data)
    # A provider's own: reprs, as a NaN is not itself.
    assert repr(data["metadata"]) == repr(metadata)
    found = data["litellm_metadata"]
    for key in ("existing_trace_id", "trace_user_id", "session_id", "generation_name", "version"):
        assert found.get(key) is None or text(found[key]) is not None
    for key in ("tags", "trace_tags", "update_trace_keys"):
        assert found.get(key) is None or list(tags(found[key])) == found[key]
    prompt = found.get("prompt")
    assert prompt is None or (type(prompt["version"]) is int and prompt["name"])
    assert "trace_environment" not in found
    splice_request({"metadata": metadata, "proxy_server_request": metadata})


def test_many_tags_are_few() -> None:
    bad_first = [None] * 300 + [f"tag-{number}" for number in range(10_000)]
    data = request({"trace_tags": bad_first, "tags": list(bad_first)})
    assert splice_request(data).link.tags == tuple(bad_first[300:][:MAX_ENTRIES])
    assert len(json.dumps(data)) < 2_000
