"""What one end of the wire encodes, the other decodes to the same link."""

from __future__ import annotations

import json
import string
from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tracesplice_litellm._rewrite import splice_request
from tracesplice_wire import (
    CONTAINER,
    Link,
    PromptRef,
    decode_metadata,
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
NO_ATTRIBUTES = {name: Link._field_defaults[name] for name in attributes}
links = placed | placed.map(lambda link: link._replace(**NOWHERE))


# What LiteLLM writes into the metadata that it reports from.
KEY: dict[str, Any] = {"user_api_key_auth": "of LiteLLM", "user_api_key_user_id": "an owner"}


def kept(sent: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """As on ``/responses``: beside the provider's own ``metadata``."""
    return {"metadata": {"team": "blue"}, "litellm_metadata": {**sent, **own}}


def merged(sent: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """As on ``/chat/completions``."""
    return {"metadata": {**sent, **own}}


def merged_and_kept(sent: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """As there before LiteLLM 1.99."""
    return {"metadata": {**sent, **own}, "litellm_metadata": dict(sent)}


def covered(sent: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """As there, where a client wrote texts for its provider by the names of the link's."""
    return {"metadata": {**sent, **own, "prompt": "mine", "trace_metadata": "mine"}}


def arrived(link: Link, move: Any, *, body: bool, headers: bool) -> Link:
    """What the gateway reads of a link that came by body, by headers or by both."""
    sent = json.loads(json.dumps(encode_metadata(link))) if body else {}
    found = encode_headers(link) if headers else {}
    server = {"headers": found, "body": {CONTAINER: deepcopy(sent)} if body else {}}
    own = dict(KEY, trace_id=link.trace_id) if found else KEY
    data = {**move(sent, own), "proxy_server_request": server}
    if found:
        data["litellm_trace_id"] = link.trace_id
    found_link = splice_request(data).link
    # Of a session without a trace the client makes an id, or LiteLLM would take the session's.
    is_made = link.trace_id is None and link.session_id is not None
    return found_link._replace(trace_id=None) if is_made else found_link


def named(link: Link) -> Link:
    """The link with the parent that its header names: it must name one."""
    if link.trace_id is None or link.parent_id is not None:
        return link
    return link._replace(parent_id=no_parent(link.trace_id))


moves = st.sampled_from([kept, merged, merged_and_kept, covered])


@given(links, moves)
def test_a_body_carries_all_but_flags_and_project(link: Link, move: Any) -> None:
    expected = link._replace(trace_flags=1, project=None)
    assert decode_metadata([encode_metadata(link)]) == expected
    assert arrived(link, move, body=True, headers=False) == expected


@given(links, moves)
def test_headers_carry_the_place(link: Link, move: Any) -> None:
    expected = named(link)._replace(**NO_ATTRIBUTES) if link.trace_id else Link()
    assert arrived(link, move, body=False, headers=True) == expected


@given(links, moves)
def test_both_together_carry_the_link(link: Link, move: Any) -> None:
    assert arrived(link, move, body=True, headers=True) == named(link)
