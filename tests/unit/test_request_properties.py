"""Of any link, body and headers: what must hold whatever they are."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tracesplice.adapter import Link, PromptRef, link_request
from tracesplice_wire import CONTAINER
from unit.test_request import ELSEWHERE, FULL, OTHER, PARENT, TRACE

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from([*FULL, "trace_id", "own", "user_id"])
IDS_BY_NAME = ("existing_trace_id", "trace_id", "parent_observation_id")
IDS = st.sampled_from([TRACE, OTHER, PARENT, ELSEWHERE, "my-id", ""])
FIELD = st.dictionaries(KEYS, IDS | JSON, max_size=5)
BODIES = st.dictionaries(st.text(), JSON, max_size=3).flatmap(
    lambda rest: st.fixed_dictionaries(
        {}, optional={"metadata": FIELD | JSON, CONTAINER: FIELD | JSON}
    ).map(lambda fields: {**rest, **fields})
)
HEADERS = st.dictionaries(
    st.sampled_from(["traceparent", "Traceparent", "x-other"]) | st.text(),
    st.sampled_from([f"00-{TRACE}-{PARENT}-01", f"00-{OTHER}-{ELSEWHERE}-00"]) | st.text(),
    max_size=3,
)
TEXT = st.none() | st.text(min_size=1)
LINKS = st.builds(
    Link,
    trace_id=st.sampled_from([None, TRACE]),
    parent_id=st.sampled_from([None, PARENT]),
    trace_flags=st.integers(0, 255),
    prompt=st.none() | st.builds(PromptRef, st.text(min_size=1), st.integers(min_value=1)),
    user_id=TEXT,
    session_id=TEXT,
    tags=st.lists(st.text(min_size=1), max_size=3).map(tuple),
    trace_name=TEXT,
    project=st.none(),
)


@given(link=LINKS, body=BODIES, headers=HEADERS, form=st.booleans())
def test_any_body_is_carried_whole_and_left_as_it_is(
    link: Link, body: dict[str, Any], headers: dict[str, str], form: bool
) -> None:
    body_before, headers_before = deepcopy(body), deepcopy(headers)
    request = link_request(body, headers, link=link, form=form)
    assert (body, headers) == (body_before, headers_before)
    assert request.body.keys() <= {CONTAINER}
    assert request.headers.keys() <= {"traceparent"}
    if CONTAINER in request.body:
        sent = request.body[CONTAINER]
        found = json.loads(sent) if form else sent
        theirs = body.get(CONTAINER) or {}
        assert {key: found[key] for key in theirs} == theirs
        covered = (body.get("metadata") or {}).keys() & (found.keys() - theirs.keys())
        assert covered <= {"prompt", "tags", "trace_tags", "trace_metadata", *IDS_BY_NAME}
    if any(name.lower() == "traceparent" for name in headers):
        assert not request.headers


@given(link=LINKS, body=BODIES)
def test_body_and_header_name_the_same_place(link: Link, body: dict[str, Any]) -> None:
    request = link_request(body, {}, link=link)
    sent = {**body, **request.body}
    if not request.headers or not all(
        isinstance(sent.get(field, {}), dict) for field in ("metadata", CONTAINER)
    ):
        return
    _, trace_id, parent_id, _ = request.headers["traceparent"].split("-")
    read = {**sent.get(CONTAINER, {}), **sent.get("metadata", {})}
    if read.get("existing_trace_id") in (TRACE, OTHER):
        assert read["existing_trace_id"] == trace_id
    if read.get("parent_observation_id") in (PARENT, ELSEWHERE):
        assert read["parent_observation_id"] == parent_id
