"""What of a link can be sent to Langfuse, and what is read of anything that was sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracesplice_wire import (
    MAX_ENTRIES,
    Link,
    decode_baggage,
    decode_metadata,
    decode_traceparent,
    environment,
    number,
    pairs,
    prompt_ref,
    span_id,
    tags,
    text,
    trace_id,
)

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADER = f"00-{TRACE}-{SPAN}-01"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=10,
)
INVALID = {
    trace_id: (TRACE.upper(), TRACE[:-1], TRACE + "0", "0" * 32, "", 7, None),
    span_id: (SPAN.upper(), SPAN[:-1], "0" * 16, "", f"{SPAN}\n", [SPAN]),
    text: ("", "x" * 201, "\ud800", 7, None, b"x"),
    environment: ("Prod", "langfuse-x", "", "x" * 41, "a b", None),
    decode_traceparent: (
        *("", "x", HEADER[:-1], HEADER.upper(), f"{HEADER}x", HEADER.replace("00-", "ff-", 1)),
        *(f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", None, HEADER.encode()),
    ),
}
VALID = {trace_id: TRACE, span_id: SPAN, text: "x" * 200, environment: "prod-1_a"}


@pytest.mark.parametrize("check", INVALID, ids=lambda check: check.__name__)
def test_each_value_is_checked(check: Any) -> None:
    assert [check(value) for value in INVALID[check]] == [None] * len(INVALID[check])
    assert check in (decode_traceparent,) or check(VALID[check]) == VALID[check]


def test_a_traceparent_names_a_place() -> None:
    assert decode_traceparent(f" {HEADER} ") == (TRACE, SPAN, 1)
    assert decode_traceparent(f"01-{TRACE}-{SPAN}-02-more") == (TRACE, SPAN, 2)


VERSIONS = [(1, 1), ("12", 12), (65_535, 65_535)]
NO_VERSIONS = (65_536, 0, -1, True, "", "1.0", "²", "9" * 5000, 1.0, None)


@pytest.mark.parametrize(
    ("value", "version"), [*VERSIONS, *((value, None) for value in NO_VERSIONS)]
)
def test_a_version_is_a_whole_number_from_1(value: object, version: int | None) -> None:
    found = prompt_ref("name", number(value))
    assert (found and found.version, type(found and found.version)) == (version, type(version))


def test_tags_are_valid_texts_each_once() -> None:
    assert tags(["a", 1, "b", "a", "", None, "x" * 201, []]) == ("a", "b")
    assert len(tags(str(number) for number in range(10_000))) == MAX_ENTRIES


def test_pairs_are_the_valid_entries_of_a_mapping() -> None:
    written = {"a": "b", "": "c", "d": 1, "e": "x" * 201, "f": "\ud800"}
    assert pairs(written.items()) == (("a", "b"),)
    assert len(pairs((str(key), "v") for key in range(1000))) == MAX_ENTRIES


def test_what_a_propagator_quotes_is_read_as_it_was_written() -> None:
    # Metadata {"größe": "1 %"}, as OpenTelemetry's propagators for JavaScript and Python have it.
    for space in ("%20", "+"):
        found = decode_baggage(f"langfuse_metadata_gr%C3%B6%C3%9Fe=1{space}%25, other=langfuse_")
        assert decode_metadata([], found) == Link(metadata=(("größe", "1 %"),))


def test_of_a_long_baggage_header_nothing_is_cut_in_the_middle() -> None:
    entry = "langfuse_user_id=alice123"
    for length in range(8_192 - len(entry), 8_193):
        found = decode_baggage(f"x={'x' * (length - 3)},{entry}")
        is_whole = length + len(entry) <= 8_192
        assert decode_metadata([], found).user_id == ("alice123" if is_whole else None)
        more = decode_baggage(f"x={'x' * (length - 3)},{entry},{entry}4")
        assert decode_metadata([], more).user_id == ("alice123" if is_whole else None)
    assert not decode_baggage(f"langfuse_user_id={'x' * 9_000}")


@given(ANYTHING, st.text())
def test_nothing_raises(value: Any, sent: str) -> None:
    for check in (*INVALID, number, decode_baggage):
        check(value)
    prompt_ref(value, value)
    keys = ("existing_trace_id", "prompt", "trace_tags", "tags", "trace_metadata", "session_id")
    names = ("tags", "prompt_version", "metadata_x", "user_id")
    baggage = decode_baggage(",".join(f"langfuse_{name}={sent}" for name in names))
    decode_metadata([dict.fromkeys(keys, value)], baggage)
