"""Of any request: what the gateway adapter makes of it, whatever a client sent."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tracesplice_litellm import _values
from tracesplice_litellm._link import Link, Place, PromptRef
from tracesplice_litellm._read import read_link
from tracesplice_litellm._write import write_link

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADER = f"00-{TRACE}-{SPAN}-01"

TEXTS = st.text(st.characters(exclude_categories=()), max_size=300)  # surrogates, too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)
HOSTILE = st.sampled_from(
    ["[{[]}]", "[" * 500, "{}", "[1]", "['a'", "%ff%fe", "=", ",;", "9" * 4400, "x" * 201, ""]
)
HEADER_TEXTS = TEXTS | HOSTILE

FULL: dict[str, Any] = {
    "existing_trace_id": TRACE,
    "parent_observation_id": SPAN,
    "prompt": {"name": "greet", "version": 2, "prompt": ""},
    "trace_user_id": "ann",
    "session_id": "monday",
    "trace_tags": ["blue"],
    "trace_name": "morning",
    "trace_environment": "staging",
    "version": "1.2",
    "trace_metadata": {"team": "red"},
    "generation_name": "answer",
}
READ = Link(
    place=Place(TRACE, SPAN),
    prompt=PromptRef("greet", 2),
    user_id="ann",
    session_id="monday",
    tags=("blue",),
    trace_name="morning",
    environment="staging",
    version="1.2",
    trace_metadata={"team": "red"},
    generation_name="answer",
)
FIELDS = {
    "existing_trace_id": "place",
    "parent_observation_id": "place",
    "trace_user_id": "user_id",
    "trace_tags": "tags",
    "trace_environment": "environment",
}
BAGGAGE = {
    "user_id": ("user_id", "ann"),
    "session_id": ("session_id", "monday"),
    "tags": ("tags", ("blue",)),
    "trace_name": ("trace_name", "morning"),
    "environment": ("environment", "staging"),
    "version": ("version", "1.2"),
    "metadata_team": ("trace_metadata", {"team": "red"}),
    "prompt_name": ("prompt", PromptRef("greet", 2)),
    "prompt_version": ("prompt", PromptRef("greet", 2)),
}
SENT = {
    **{key: value[1] for key, value in BAGGAGE.items() if isinstance(value[1], str)},
    "tags": "blue",
    "metadata_team": "red",
    "prompt_name": "greet",
    "prompt_version": "2",
}


def request(metadata: Any, container: str = "litellm_metadata", **headers: Any) -> dict[str, Any]:
    return {container: metadata, "proxy_server_request": {"headers": headers}}


def compared(link: Link, fields: set[str]) -> dict[str, Any]:
    return {name: value for name, value in link._asdict().items() if name in fields}


@given(key=st.sampled_from([*FULL]), value=JSON)
def test_a_bad_value_in_the_body_takes_no_other_along(key: str, value: Any) -> None:
    data = request({**deepcopy(FULL), key: value})
    link = read_link(data)
    others = set(Link._fields) - {FIELDS.get(key, key), "starts_trace"}
    assert compared(link, others) == compared(READ, others)
    write_link(data, link)
    found = data["litellm_metadata"]
    assert found.get("trace_user_id") == link.user_id
    assert found.get("prompt", {}).get("name") == (link.prompt and link.prompt.name)


@given(key=st.sampled_from([*SENT]), value=HEADER_TEXTS, rest=HEADER_TEXTS)
def test_a_bad_value_in_the_baggage_takes_no_other_along(key: str, value: str, rest: str) -> None:
    sent = ",".join(f"langfuse_{name}={text}" for name, text in SENT.items() if name != key)
    value = value.replace(",", "").replace("langfuse_", "")
    rest = rest.replace("langfuse_", "")
    headers = {"traceparent": HEADER, "baggage": f"{sent},langfuse_{key}={value},{rest}"}
    data = request({}, **headers)
    link = read_link(data)
    expected = {field: right for field, right in BAGGAGE.values() if field != BAGGAGE[key][0]}
    assert compared(link, set(expected)) == expected
    assert link.place == Place(TRACE, SPAN)
    write_link(data, link)


@given(
    metadata=JSON | st.dictionaries(st.sampled_from([*FULL, "tags", "trace_id"]), JSON),
    other=JSON | st.dictionaries(st.sampled_from([*FULL, "tags", "trace_id"]), JSON),
    headers=st.dictionaries(
        st.sampled_from(
            ["traceparent", "baggage", "x-tracesplice-project", "langfuse_prompt", "langfuse_tags"]
            + [f"langfuse_{key}" for key in FULL]
        ),
        HEADER_TEXTS,
    ),
)
def test_what_is_reported_is_valid_and_the_rest_is_left(
    metadata: Any, other: Any, headers: dict[str, str]
) -> None:
    data = request(other, **headers)
    data["metadata"] = deepcopy(metadata)
    write_link(data, read_link(data))
    # A provider's own: reprs, as a NaN is not itself.
    assert repr(data["metadata"]) == repr(metadata)
    found = data["litellm_metadata"]
    for key in ("existing_trace_id", "trace_user_id", "session_id", "generation_name", "version"):
        assert found.get(key) is None or _values.text(found[key]) is not None
    for key in ("tags", "trace_tags", "update_trace_keys"):
        assert found.get(key) is None or list(_values.tags(found[key])) == found[key]
    assert "trace_environment" not in found


def test_many_tags_are_few() -> None:
    bad_first = [None] * 300 + [f"tag-{number}" for number in range(10_000)]
    data = request({"trace_tags": bad_first, "tags": list(bad_first)})
    link = read_link(data)
    assert link.tags == tuple(f"tag-{number}" for number in range(_values.MAX_TAGS))
    write_link(data, link)
    assert len(json.dumps(data)) < 2_000
