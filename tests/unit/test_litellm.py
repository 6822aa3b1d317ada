"""A link as the gateway reads it, and what the caller wrote before it."""

from __future__ import annotations

import json
import logging
import re
from collections import UserDict
from dataclasses import replace
from typing import Any

import pytest

from tracesplice._link import Link, PromptRef
from tracesplice._litellm import CONTAINER, Injection, inject, request_headers, request_metadata
from tracesplice_wire import Place, decode_traceparent, no_parent

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
OTHER, ELSEWHERE = "1" * 32, "2" * 16
CHAT = "/chat/completions"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
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
LOOSE = replace(LINK, trace_id=None, parent_id=None)
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


def injected(
    body: dict[str, Any] | None = None, headers: dict[str, object] | None = None, link: Link = LINK
) -> Injection:
    injection = inject(link, CHAT, body or {}, headers or {})
    assert injection is not None
    return injection


def metadata(
    body: dict[str, Any] | None = None, headers: dict[str, object] | None = None, link: Link = LINK
) -> dict[str, Any]:
    found = injected(body, headers, link).body[CONTAINER]
    assert isinstance(found, dict)
    return found


class TestEncoding:
    def test_a_full_link(self) -> None:
        assert request_metadata(LINK) == FULL
        assert request_headers(LINK) == {"traceparent": TRACEPARENT}

    def test_the_project_goes_with_the_trace_that_it_is_of(self) -> None:
        link = replace(LINK, project="0123456789abcdef")
        project = {"x-tracesplice-project": "0123456789abcdef"}
        assert request_headers(link) == {"traceparent": TRACEPARENT, **project}
        assert request_headers(replace(link, trace_id=None)) == {}
        theirs = {"existing_trace_id": OTHER, "parent_observation_id": ELSEWHERE}
        elsewhere: dict[str, object] = {"traceparent": f"00-{OTHER}-{ELSEWHERE}-01"}
        assert injected({"metadata": theirs}, link=link).headers == elsewhere
        assert injected(headers=elsewhere, link=link).headers == {}

    def test_no_link_is_nothing(self) -> None:
        assert request_metadata(Link()) == {}
        assert request_headers(Link()) == {}
        assert injected(link=Link()) == Injection({}, {})

    def test_a_trace_alone_asks_for_no_update(self) -> None:
        bare = Link(trace_id=TRACE, parent_id=PARENT)
        ids = {"existing_trace_id": TRACE, "parent_observation_id": PARENT}
        assert request_metadata(bare) == ids

    def test_without_a_trace_the_gateway_makes_one_of_its_own(self) -> None:
        found = request_metadata(LOOSE)
        made = found.pop("trace_id")
        place = {"existing_trace_id", "parent_observation_id"}
        onto = {"trace_session_id", "trace_tags", "update_trace_keys"}
        assert found == {key: FULL[key] for key in FULL.keys() - place - onto}
        assert re.fullmatch("[0-9a-f]{32}", made)
        assert request_metadata(LOOSE)["trace_id"] != made
        assert request_headers(LOOSE) == {}

    def test_without_trace_and_session_there_is_no_id(self) -> None:
        assert request_metadata(Link(user_id="ann")) == {"trace_user_id": "ann"}

    @pytest.mark.parametrize("trace_id", [TRACE, f"{'0' * 16}{OTHER[16:]}"])
    def test_without_a_parent_the_header_names_one_that_stands_for_none(
        self, trace_id: str
    ) -> None:
        header = request_headers(Link(trace_id=trace_id))["traceparent"]
        found = decode_traceparent(header)
        assert found == Place(trace_id, no_parent(trace_id))

    @pytest.mark.parametrize(("flags", "text"), [(0, "00"), (1, "01"), (255, "ff")])
    def test_flags_are_two_hex_digits(self, flags: int, text: str) -> None:
        header = request_headers(replace(LINK, trace_flags=flags))["traceparent"]
        assert header == f"00-{TRACE}-{PARENT}-{text}"

    def test_a_form_gets_its_metadata_as_json_text(self) -> None:
        injection = inject(LINK, "/audio/transcriptions", {}, {}, form=True)
        assert injection is not None
        assert json.loads(injection.body[CONTAINER]) == FULL


@pytest.mark.parametrize(
    "path",
    [
        CHAT,
        "chat/completions",
        "/completions",
        "/responses",
        "/embeddings",
        "/moderations",
        "/images/generations",
        "/images/edits",
        "/responses/compact",
        "/videos",
        "/rerank",
        "/v2/rerank",
        "http://gw:4000/v1/messages",
        "/audio/speech",
        "/audio/transcriptions",
        "/audio/translations",
        "/openai/deployments/gpt/chat/completions?api-version=1",
        "http://gw:4000/v1/chat/completions/",
    ],
)
def test_a_route_that_calls_a_model_gets_the_link(path: str) -> None:
    assert inject(LINK, path, {}, {}) == Injection({CONTAINER: FULL}, {"traceparent": TRACEPARENT})


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/models",
        "/files",
        "/batches",
        "/responses/resp_1",
        "/chat/completions/id/messages",
        "/v1/threads/id/messages",
        "/v1/messages/count_tokens",
        "/videos/id/content",
        "/responses/id/cancel",
        "/audio/voices",
        "/images",
        "/mycompletions",
        "/models?next=/chat/completions",
    ],
)
def test_any_other_route_gets_nothing(path: str) -> None:
    assert inject(LINK, path, {}, {}) is None


class TestTheCallerWins:
    @pytest.mark.parametrize("field", ["metadata", CONTAINER])
    def test_key_by_key(self, field: str) -> None:
        theirs = {"trace_name": "mine", "prompt": {"name": "p", "version": 1}, "own": [1]}
        found = metadata({field: theirs})
        assert {**found, **theirs} == {**FULL, **theirs}
        if field == "metadata":
            # What the caller wrote elsewhere is not said twice.
            assert not theirs.keys() & found.keys()
        else:
            assert found == {**FULL, **theirs}

    def test_metadata_goes_before_the_container_as_in_litellm(self) -> None:
        body = {"metadata": {"session_id": "bob's"}, CONTAINER: {"session_id": "eve's", "x": 1}}
        found = metadata(body)
        assert (found["session_id"], found["x"]) == ("eve's", 1)
        assert found["trace_session_id"] == "bob's"

    def test_a_value_that_only_the_caller_has_goes_on_the_joined_trace(self) -> None:
        link = Link(trace_id=TRACE, parent_id=PARENT)
        theirs = {"trace_user_id": "bob", "session_id": "s2", "tags": ["c"]}
        found = metadata({"metadata": theirs}, link=link)
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

    def test_with_nothing_left_to_add_the_body_stays(self) -> None:
        assert injected({"metadata": dict(FULL)}).body == {}
        assert injected({CONTAINER: dict(FULL)}).body == {}

    def test_a_trace_joined_by_hand_is_joined_in_the_header_too(self) -> None:
        theirs = {"existing_trace_id": OTHER, "parent_observation_id": ELSEWHERE}
        injection = injected({"metadata": theirs})
        assert injection.headers == {"traceparent": f"00-{OTHER}-{ELSEWHERE}-01"}
        assert not theirs.keys() & injection.body[CONTAINER].keys()
        assert injection.body[CONTAINER]["trace_user_id"] == "ann"

    def test_our_parent_does_not_go_into_another_trace(self) -> None:
        injection = injected({"metadata": {"existing_trace_id": OTHER}})
        assert "parent_observation_id" not in injection.body[CONTAINER]
        assert injection.headers == {"traceparent": f"00-{OTHER}-{OTHER[:16]}-01"}

    def test_our_parent_stays_in_our_own_trace(self) -> None:
        injection = injected({"metadata": {"existing_trace_id": TRACE}})
        assert injection.body[CONTAINER]["parent_observation_id"] == PARENT
        assert injection.headers == {"traceparent": TRACEPARENT}

    def test_a_trace_started_by_hand_is_not_joined_to_ours(self) -> None:
        injection = injected({"metadata": {"trace_id": OTHER}})
        assert "existing_trace_id" not in injection.body[CONTAINER]
        assert "trace_id" not in injection.body[CONTAINER]
        assert injection.headers == {"traceparent": f"00-{OTHER}-{OTHER[:16]}-01"}

    def test_a_trace_started_by_hand_keeps_its_id_where_no_span_is_open(self) -> None:
        found = metadata({CONTAINER: {"trace_id": OTHER}}, link=LOOSE)
        assert (found["trace_id"], "existing_trace_id" in found) == (OTHER, False)

    @pytest.mark.parametrize("key", ["existing_trace_id", "trace_id"])
    @pytest.mark.parametrize("link", [LINK, LOOSE])
    def test_an_id_that_only_the_gateway_reads_stands_alone(self, key: str, link: Link) -> None:
        injection = injected({"metadata": {key: "my-trace"}}, link=link)
        ids = {"existing_trace_id", "trace_id", "parent_observation_id"}
        assert not ids & injection.body[CONTAINER].keys()
        assert injection.headers == {}

    def test_an_id_that_no_header_can_hold_is_in_none(self) -> None:
        theirs = {"existing_trace_id": "my-trace", "parent_observation_id": ELSEWHERE}
        assert injected({"metadata": theirs}).headers == {}

    @pytest.mark.parametrize("name", ["traceparent", "Traceparent", "TRACEPARENT"])
    def test_a_traceparent_by_hand_is_joined_in_the_body_too(self, name: str) -> None:
        injection = injected(headers={name: f"00-{OTHER}-{ELSEWHERE}-00"})
        assert injection.headers == {}
        found = injection.body[CONTAINER]
        ids = (found["existing_trace_id"], found["parent_observation_id"])
        assert ids == (OTHER, ELSEWHERE)

    @pytest.mark.parametrize("value", ["nonsense", object(), f"00-{TRACE.upper()}-{ELSEWHERE}-00"])
    def test_a_header_that_cannot_be_read_is_left_alone(self, value: object) -> None:
        assert injected(headers={"traceparent": value}) == Injection({CONTAINER: FULL}, {})

    def test_other_headers_do_not_matter(self) -> None:
        headers: dict[str, object] = {"tracestate": "x=1", "X-Traceparent": "y"}
        assert injected(headers=headers) == injected()

    @pytest.mark.parametrize("empty", [None, {}])
    @pytest.mark.parametrize("field", ["metadata", CONTAINER])
    def test_an_empty_field_is_as_none(self, field: str, empty: object) -> None:
        assert metadata({field: empty}) == FULL

    def test_a_mapping_is_as_good_as_a_dict(self) -> None:
        assert metadata({CONTAINER: UserDict(x=1)}) == {**FULL, "x": 1}

    def test_in_a_form_too(self) -> None:
        body = {CONTAINER: {"trace_name": "mine"}}
        injection = inject(LINK, "/images/edits", body, {}, form=True)
        assert injection is not None
        assert json.loads(injection.body[CONTAINER]) == {**FULL, "trace_name": "mine"}

    @pytest.mark.parametrize("form", [True, False])
    def test_json_text_is_merged(self, form: bool) -> None:
        body = {CONTAINER: '{"trace_name": "mine"}', "metadata": '{"trace_user_id": "bob"}'}
        injection = inject(LINK, "/images/edits", body, {}, form=form)
        assert injection is not None
        sent = injection.body[CONTAINER]
        found = json.loads(sent) if form else sent
        expected = {**FULL, "trace_name": "mine"}
        del expected["trace_user_id"]
        assert found == expected

    def test_texts_for_the_provider_cover_nothing(self) -> None:
        theirs = {"prompt": "greeting-v3", "tags": "a,b", "trace_id": "", "existing_trace_id": ""}
        theirs["parent_observation_id"] = ""
        assert injected({"metadata": theirs}) == injected({"metadata": {}})


class TestOddContainers:
    @pytest.mark.parametrize("field", ["metadata", CONTAINER])
    @pytest.mark.parametrize("value", ["text", "[1]", "[" * 9999, [1], 3, True])
    def test_what_is_no_dict_is_left_alone_and_logged_once(
        self, field: str, value: object, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(3):
            assert injected({field: value}) == Injection({}, {"traceparent": TRACEPARENT})
        (record,) = caplog.records
        assert (record.name, record.levelno) == ("tracesplice", logging.WARNING)
        assert f"`{field}` of a request is a {type(value).__name__}" in record.getMessage()
        assert "Pass a dict" in record.getMessage()

    def test_the_caller_s_header_still_wins(self) -> None:
        headers: dict[str, object] = {"traceparent": f"00-{OTHER}-{ELSEWHERE}-01"}
        assert injected({"metadata": "text"}, headers) == Injection({}, {})


@pytest.mark.parametrize(
    ("headers", "trace_id"),
    [
        ({"traceparent": ""}, TRACE),
        ({"traceparent": "", "Traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}, "a" * 32),
        ({"Traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "traceparent": ""}, TRACE),
    ],
)
def test_the_callers_last_traceparent_wins_even_if_empty(
    headers: dict[str, str], trace_id: str
) -> None:
    injection = inject(Link(TRACE, PARENT), CHAT, {}, headers)
    assert injection is not None
    assert injection.headers == {}
    assert injection.body[CONTAINER]["existing_trace_id"] == trace_id
