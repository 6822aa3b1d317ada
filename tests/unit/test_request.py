"""What a linked request carries, and what its caller wrote before it."""

from __future__ import annotations

import json
import logging
import re
from collections import UserDict
from typing import TYPE_CHECKING, Any

import pytest
from langfuse import propagate_attributes

from tracesplice.adapter import Link, LinkedRequest, PromptRef, capture_link, link_request
from tracesplice_wire import CONTAINER, encode_headers, encode_metadata

if TYPE_CHECKING:
    from langfuse import Langfuse

from unit.langfuse_ambient import EVERYTHING

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
OTHER, ELSEWHERE = "1" * 32, "2" * 16
HERE, THERE = f"00-{TRACE}-{PARENT}-01", f"00-{OTHER}-{ELSEWHERE}-01"
TRACEPARENT = {"traceparent": HERE}
LINK = Link(
    trace_id=TRACE,
    parent_id=PARENT,
    prompt=PromptRef("greet", 3),
    user_id="ann",
    session_id="s1",
    tags=("a", "b"),
    trace_name="chat",
    environment="test",
    version="1.2",
    metadata=(("team", "red"), ("plan", "pro")),
)
LOOSE = LINK._replace(trace_id=None, parent_id=None)
IDS = {"existing_trace_id", "trace_id", "parent_observation_id"}
FULL = {
    "existing_trace_id": TRACE,
    "parent_observation_id": PARENT,
    "trace_name": "chat",
    "trace_user_id": "ann",
    "session_id": "s1",
    "tags": ["a", "b"],
    "prompt": {"name": "greet", "version": 3, "prompt": ""},
    "trace_session_id": "s1",
    "trace_tags": ["a", "b"],
    "update_trace_keys": ["trace_user_id", "trace_session_id", "trace_tags"],
    "trace_environment": "test",
    "version": "1.2",
    "trace_metadata": {"team": "red", "plan": "pro"},
}


def linked(
    body: dict[str, Any] | None = None,
    headers: dict[str, object] | None = None,
    link: Link | None = LINK,
    *,
    form: bool = False,
) -> LinkedRequest:
    return link_request(body or {}, headers or {}, link=link, form=form)


def metadata(body: dict[str, Any] | None = None, link: Link = LINK) -> dict[str, Any]:
    found = linked(body, link=link).body[CONTAINER]
    assert isinstance(found, dict)
    return found


def by_hand(trace_id: str, parent_id: str) -> dict[str, str]:
    return {"existing_trace_id": trace_id, "parent_observation_id": parent_id}


class TestEncoding:
    def test_a_full_link(self) -> None:
        assert linked().body == {CONTAINER: FULL}
        assert linked().headers == TRACEPARENT
        assert json.loads(linked(form=True).body[CONTAINER]) == FULL

    def test_no_link_is_nothing(self) -> None:
        for request in (linked(link=Link()), link_request({}, {})):
            assert (request.body, request.headers) == ({}, {})

    def test_without_a_body_the_header_is_left(self) -> None:
        request = link_request(None, {}, link=LINK)
        assert (request.body, request.headers) == ({}, TRACEPARENT)

    def test_a_trace_alone_asks_for_no_update(self) -> None:
        assert metadata(link=Link(TRACE, PARENT)) == by_hand(TRACE, PARENT)

    def test_without_a_trace_the_gateway_makes_one_of_its_own(self) -> None:
        found = metadata(link=LOOSE)
        made = found.pop("trace_id")
        onto = {"trace_session_id", "trace_tags", "update_trace_keys"}
        assert found == {key: FULL[key] for key in FULL.keys() - IDS - onto}
        assert re.fullmatch("[0-9a-f]{32}", made)
        assert metadata(link=LOOSE)["trace_id"] != made
        assert metadata(link=Link(user_id="ann")) == {"trace_user_id": "ann"}  # nor a session

    def test_the_project_goes_with_the_trace_that_it_is_of(self) -> None:
        link = LINK._replace(project="0123456789abcdef")
        project = {"x-tracesplice-project": "0123456789abcdef"}
        assert linked(link=link).headers == TRACEPARENT | project
        assert linked(link=link._replace(trace_id=None)).headers == {}
        theirs = by_hand(OTHER, ELSEWHERE)
        assert linked({"metadata": theirs}, link=link).headers == {"traceparent": THERE}
        assert linked(headers={"traceparent": THERE}, link=link).headers == {}


class TestHereAndNow:
    """The common way, which keeps what it encoded, carries what the careful one does."""

    @pytest.mark.parametrize("in_trace", [True, False])
    @pytest.mark.parametrize("form", [True, False])
    def test_it_carries_what_is_captured(
        self, langfuse: Langfuse, in_trace: bool, form: bool
    ) -> None:
        with propagate_attributes(**{**EVERYTHING, "session_id": "s1" if in_trace else None}):
            for _ in range(2):
                own = langfuse.start_observation(name="g") if in_trace else None
                span = own._otel_span if own else None
                link = capture_link(span)
                request = link_request({"model": "m"}, {"x-a": "b"}, observation=span, form=form)
                sent = request.body[CONTAINER]
                assert (json.loads(sent) if form else sent) == encode_metadata(link)
                assert request.headers == encode_headers(link)
                assert bool(link.project) is in_trace
                if own:
                    own.end()

    def test_a_session_without_a_trace_has_a_new_one_each_time(self) -> None:
        with propagate_attributes(session_id="s1"):
            one, other = (link_request({}, {}).body[CONTAINER] for _ in range(2))
        assert one["trace_id"] != other["trace_id"]

    def test_what_its_caller_wrote_goes_first(self, langfuse: Langfuse) -> None:
        with langfuse.start_as_current_observation(name="s"), propagate_attributes(user_id="ann"):
            request = link_request({"metadata": {"trace_user_id": "bob"}}, {"Traceparent": THERE})
        expected = {"update_trace_keys": ["trace_user_id"], **by_hand(OTHER, ELSEWHERE)}
        assert request.body == {CONTAINER: expected}
        assert request.headers == {}


class TestTheCallerWins:
    @pytest.mark.parametrize("field", ["metadata", CONTAINER])
    def test_key_by_key(self, field: str) -> None:
        theirs = {"trace_name": "mine", "prompt": {"name": "p", "version": 1}, "own": [1]}
        found = metadata({field: theirs})
        assert {**found, **theirs} == {**FULL, **theirs}
        # What the caller wrote elsewhere is not said twice.
        assert theirs.keys() & found.keys() == (theirs.keys() if field == CONTAINER else set())

    def test_metadata_goes_before_the_container_as_in_litellm(self) -> None:
        body = {"metadata": {"session_id": "bob's"}, CONTAINER: {"session_id": "eve's", "x": 1}}
        found = metadata(body)
        assert (found["session_id"], found["x"]) == ("eve's", 1)
        assert found["trace_session_id"] == "bob's"

    def test_a_value_that_only_the_caller_has_goes_on_the_joined_trace(self) -> None:
        theirs = {"trace_user_id": "bob", "session_id": "s2", "tags": ["c"]}
        found = metadata({"metadata": theirs}, Link(TRACE, PARENT))
        assert found["update_trace_keys"] == FULL["update_trace_keys"]
        assert (found["trace_session_id"], found["trace_tags"]) == ("s2", ["c"])

    @pytest.mark.parametrize(
        ("theirs", "related"),
        [
            ({"trace_user_id": "bob"}, {}),
            ({"session_id": "s2"}, {"trace_session_id": "s2"}),
            ({"trace_session_id": "s2"}, {"session_id": "s2"}),
            ({"tags": ["c"]}, {"trace_tags": ["c"]}),
            ({"trace_tags": ["c"]}, {"tags": ["c"]}),
            ({"update_trace_keys": []}, {}),
            ({"trace_name": "mine"}, {}),
            ({"parent_observation_id": ELSEWHERE}, {}),
        ],
    )
    def test_related_keys_agree(self, theirs: dict[str, Any], related: dict[str, Any]) -> None:
        assert metadata({CONTAINER: theirs}) == {**FULL, **theirs, **related}

    @pytest.mark.parametrize("field", ["metadata", CONTAINER])
    def test_with_nothing_left_to_add_the_body_stays(self, field: str) -> None:
        assert linked({field: dict(FULL)}).body == {}

    @pytest.mark.parametrize(
        ("theirs", "traceparent", "left"),
        [
            # A trace joined by hand is joined in the header, too.
            (by_hand(OTHER, ELSEWHERE), THERE, {}),
            # Our parent does not go into another trace, and stays in our own.
            ({"existing_trace_id": OTHER}, f"00-{OTHER}-{OTHER[:16]}-01", {}),
            ({"existing_trace_id": TRACE}, HERE, {"parent_observation_id": PARENT}),
            # A trace started by hand is not joined to ours.
            ({"trace_id": OTHER}, f"00-{OTHER}-{OTHER[:16]}-01", {}),
            # An id that only the gateway reads stands alone: no header can hold it.
            ({"existing_trace_id": "my-trace"}, None, {}),
            ({"trace_id": "my-trace"}, None, {}),
            (by_hand("my-trace", ELSEWHERE), None, {}),
        ],
    )
    def test_ids_agree(
        self, theirs: dict[str, str], traceparent: str | None, left: dict[str, str]
    ) -> None:
        request = linked({"metadata": theirs})
        assert request.headers == ({"traceparent": traceparent} if traceparent else {})
        found = request.body[CONTAINER]
        assert {key: found[key] for key in IDS & found.keys()} == left
        assert found["trace_user_id"] == "ann"

    @pytest.mark.parametrize("key", ["existing_trace_id", "trace_id"])
    @pytest.mark.parametrize("trace_id", [OTHER, "my-trace"])
    def test_ids_by_hand_stand_alone_where_no_span_is_open(self, key: str, trace_id: str) -> None:
        found = metadata({CONTAINER: {key: trace_id}}, LOOSE)
        assert {name: found[name] for name in IDS & found.keys()} == {key: trace_id}

    @pytest.mark.parametrize("name", ["traceparent", "Traceparent", "TRACEPARENT"])
    def test_a_traceparent_by_hand_is_joined_in_the_body_too(self, name: str) -> None:
        request = linked(headers={name: f"00-{OTHER}-{ELSEWHERE}-00"})
        assert request.headers == {}
        assert request.body[CONTAINER] == {**FULL, **by_hand(OTHER, ELSEWHERE)}

    @pytest.mark.parametrize("value", ["nonsense", object(), f"00-{TRACE.upper()}-{ELSEWHERE}-00"])
    def test_a_header_that_cannot_be_read_is_left_alone(self, value: object) -> None:
        request = linked(headers={"traceparent": value})
        assert (request.body, request.headers) == ({CONTAINER: FULL}, {})

    @pytest.mark.parametrize(
        ("headers", "trace_id"),
        [
            ({"traceparent": ""}, TRACE),
            ({"traceparent": "", "Traceparent": THERE}, OTHER),
            ({"Traceparent": THERE, "traceparent": ""}, TRACE),
            ({"Traceparent": THERE, "traceparent": object()}, OTHER),  # a marker
        ],
    )
    def test_the_last_traceparent_wins_even_if_empty(
        self, headers: dict[str, object], trace_id: str
    ) -> None:
        request = linked(headers=headers)
        assert request.headers == {}
        assert request.body[CONTAINER]["existing_trace_id"] == trace_id

    def test_other_headers_do_not_matter(self) -> None:
        request = linked(headers={"tracestate": "x=1", "X-Traceparent": "y"})
        assert (request.body, request.headers) == ({CONTAINER: FULL}, TRACEPARENT)

    @pytest.mark.parametrize("empty", [None, {}])
    @pytest.mark.parametrize("field", ["metadata", CONTAINER])
    def test_an_empty_field_is_as_none(self, field: str, empty: object) -> None:
        assert metadata({field: empty}) == FULL

    @pytest.mark.parametrize("form", [True, False])
    @pytest.mark.parametrize(
        "theirs", [{"trace_name": "x"}, UserDict(trace_name="x"), '{"trace_name": "x"}']
    )
    def test_mappings_and_json_text_are_merged(self, theirs: Any, form: bool) -> None:
        body = {CONTAINER: theirs, "metadata": '{"trace_user_id": "bob"}'}
        sent = linked(body, form=form).body[CONTAINER]
        expected = {**FULL, "trace_name": "x"}
        del expected["trace_user_id"]
        assert (json.loads(sent) if form else sent) == expected

    def test_texts_for_the_provider_cover_nothing(self) -> None:
        theirs = {"prompt": "greeting-v3", "tags": "a,b", **dict.fromkeys(IDS, "")}
        assert metadata({"metadata": theirs}) == FULL


@pytest.mark.parametrize("headers", [{}, {"traceparent": THERE}])
@pytest.mark.parametrize("field", ["metadata", CONTAINER])
@pytest.mark.parametrize("value", ["text", "[1]", "[" * 9999, [1], 3, True])
def test_what_is_no_dict_is_left_alone_and_logged_once(
    field: str, value: object, headers: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        request = linked({field: value}, headers)
        assert (request.body, request.headers) == ({}, {} if headers else TRACEPARENT)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("tracesplice", logging.WARNING)
    assert f"`{field}` of a request is a {type(value).__name__}" in record.getMessage()
    assert "Pass a dict" in record.getMessage()
