"""What one end of the wire encodes, the other decodes to the same link."""

from __future__ import annotations

import json
import string
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tracesplice_wire import (
    Link,
    PromptRef,
    decode_metadata,
    decode_project,
    decode_traceparent,
    encode_headers,
    encode_metadata,
    no_parent,
    project_of,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
trace_ids = st.integers(1, 2**128 - 1).map("{:032x}".format)
span_ids = st.integers(1, 2**64 - 1).map("{:016x}".format)
environments = st.text(
    f"{string.ascii_lowercase}{string.digits}_-", min_size=1, max_size=40
).filter(lambda name: not name.startswith("langfuse"))
attributes = {
    "prompt": st.none() | st.builds(PromptRef, texts, st.integers(1, 65_535)),
    "user_id": st.none() | texts,
    "session_id": st.none() | texts,
    "tags": st.lists(texts, max_size=50, unique=True).map(tuple),
    "trace_name": st.none() | texts,
    "environment": st.none() | environments,
    "version": st.none() | texts,
    "metadata": st.dictionaries(texts, texts, max_size=50).map(lambda found: (*found.items(),)),
}
placed = st.builds(
    Link,
    trace_id=trace_ids,
    parent_id=st.none() | span_ids,
    trace_flags=st.integers(0, 255),
    project=st.none() | texts.map(project_of),
    **attributes,
)
NOWHERE: dict[str, Any] = {"trace_id": None, "parent_id": None, "trace_flags": 1, "project": None}
links = placed | placed.map(lambda link: link._replace(**NOWHERE))


def by_headers(link: Link) -> Link:
    """The place that the headers of a link name."""
    headers = encode_headers(link)
    place = decode_traceparent(headers.get("traceparent"))
    if place is None:
        return Link()
    trace_id, parent_id, flags = place
    known = None if parent_id == no_parent(trace_id) else parent_id
    return Link(trace_id, known, flags, project=decode_project(headers))


def place_of(link: Link) -> Link:
    return Link(**{name: getattr(link, name) for name in NOWHERE}) if link.trace_id else Link()


@given(links)
def test_a_body_carries_all_but_flags_and_project(link: Link) -> None:
    sent = json.loads(json.dumps(encode_metadata(link)))
    assert decode_metadata([sent]) == link._replace(trace_flags=1, project=None)


@given(placed)
def test_headers_carry_the_place(link: Link) -> None:
    if link.parent_id == no_parent(link.trace_id or ""):
        link = link._replace(parent_id=None)
    assert by_headers(link) == place_of(link)


@given(links)
def test_both_together_carry_the_link(link: Link) -> None:
    if link.trace_id and link.parent_id == no_parent(link.trace_id):
        link = link._replace(parent_id=None)
    place, found = by_headers(link), decode_metadata([encode_metadata(link)])
    assert found._replace(**{name: getattr(place, name) for name in NOWHERE}) == link
