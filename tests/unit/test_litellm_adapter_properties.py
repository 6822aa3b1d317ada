"""Of any request to the gateway: what is bad is left out alone, and what is reported is valid."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from tracesplice_litellm._rewrite import splice_request
from tracesplice_wire import MAX_ENTRIES, Link, Place, tags, text
from unit.test_litellm_adapter_request import HEADER, SPAN, TRACE, read, request
from unit.test_wire_limits import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Mapping

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
