"""What the gateway adapter lets through of what clients send; without LiteLLM."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracesplice_litellm import _values

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=10,
)


@pytest.mark.parametrize("value", [TRACE.upper(), TRACE[:-1], TRACE + "0", "0" * 32, "", 7, None])
def test_a_trace_id_is_32_hex_digits(value: object) -> None:
    assert _values.trace_id(TRACE) == TRACE
    assert _values.trace_id(value) is None


@pytest.mark.parametrize("value", [SPAN.upper(), SPAN[:-1], "0" * 16, "", f"{SPAN}\n", [SPAN]])
def test_a_span_id_is_16_hex_digits(value: object) -> None:
    assert _values.span_id(SPAN) == SPAN
    assert _values.span_id(value) is None


VERSIONS = [(1, 1), ("12", 12), (65_535, 65_535)]
NO_VERSIONS = (65_536, 0, -1, True, "", "1.0", "²", "9" * 5000, 1.0, None)


@pytest.mark.parametrize(
    ("value", "version"), [*VERSIONS, *((value, None) for value in NO_VERSIONS)]
)
def test_a_version_is_a_whole_number_from_1(value: object, version: int | None) -> None:
    found = _values.prompt_version(value)
    assert (found, type(found)) == (version, type(version))


@pytest.mark.parametrize("value", ["", "x" * 201, "\ud800", 7, None, b"x"])
def test_a_text_has_1_to_200_characters(value: object) -> None:
    assert _values.text("x" * 200) == "x" * 200
    assert _values.text(value) is None


@pytest.mark.parametrize("value", ["Prod", "langfuse-x", "", "x" * 41, "a b", None])
def test_an_environment_is_a_name(value: object) -> None:
    assert _values.environment("prod-1_a") == "prod-1_a"
    assert _values.environment(value) is None


def test_tags_are_valid_texts_each_once() -> None:
    assert _values.tags(["a", 1, "b", "a", "", None, "x" * 201]) == ("a", "b")
    assert _values.tags("ab") == ()
    assert len(_values.tags([str(number) for number in range(10_000)])) == _values.MAX_TAGS


@given(ANYTHING)
def test_nothing_raises(value: Any) -> None:
    for check in (
        _values.trace_id,
        _values.span_id,
        _values.text,
        _values.tags,
        _values.environment,
        _values.prompt_version,
    ):
        check(value)


def test_texts_are_the_valid_entries_of_a_mapping() -> None:
    assert _values.texts({"a": "b", "": "c", "d": 1, "e": "x" * 201, "f": "\ud800"}) == {"a": "b"}
    assert _values.texts([("a", "b")]) == {}
    assert len(_values.texts({str(key): "v" for key in range(1000)})) == _values.MAX_TEXTS
