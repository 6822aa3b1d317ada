"""What a carrier carries, and that it is read as it was written or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langfuse import propagate_attributes
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context
from opentelemetry.propagate import extract

import tracesplice
from tracesplice import _carrier
from tracesplice.adapter import Link, capture_link, link_request
from tracesplice_wire import MAX_CARRIER, decode_carrier, encode_carrier
from unit.carriers import ANN, EVE, place
from unit.langfuse_ambient import EVERYTHING, EVERYTHING_LINKED, attached
from unit.test_wire import links, named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langfuse import Langfuse


def carrier_of(link: Link) -> dict[str, str]:
    return encode_carrier(link)[0]


def read(carrier: object) -> Link | None:
    """What is read of a carrier, None where it is refused."""
    try:
        return decode_carrier(carrier).link
    except ValueError:
        return None


@given(links)
def test_what_is_written_is_read(link: Link) -> None:
    carrier, left_out = encode_carrier(link)
    text = json.dumps(carrier)
    assert len(text) <= MAX_CARRIER
    assert all(value.isascii() and value.isprintable() for value in carrier.values())
    expected = named(link)
    for field in set(left_out) - {"metadata"}:
        expected = expected._replace(**{field: Link._field_defaults[field]})
    found = decode_carrier(json.loads(text)).link
    assert set(found.metadata) <= set(link.metadata)
    assert ("metadata" in left_out) is (set(found.metadata) != set(link.metadata))
    assert found._replace(metadata=()) == expected._replace(metadata=())


TEXT = st.text(max_size=50) | st.sampled_from(["traceparent", "baggage", "tracesplice", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | st.integers(), inner),
    max_leaves=4,
)
NAMES = st.sampled_from(
    ["traceparent", "Traceparent", "baggage", "tracesplice", "x-tracesplice-project"]
)


# Often of the same trace, so that what does not belong together looks as if it did.
SEVERAL = [
    Link(trace, "c" * 16, flags, user_id=user, tags=tags, project=project)
    for trace in (None, "a" * 32, "b" * 32)
    for flags, project in ((0, "e" * 16), (1, None))
    for user, tags in ((None, ()), ("ann", ("a", "b")), ("anna", ("a,b",)))
]
ORIGINALS = [carrier_of(link) for link in SEVERAL]
PARTS = {
    name: st.sampled_from(sorted({each[name] for each in ORIGINALS if name in each})).flatmap(
        lambda text: st.just(text) | st.integers(0, len(text)).map(lambda cut: text[:cut])
    )
    for name in ("tracesplice", "traceparent", "baggage", "x-tracesplice-project")
}
MIXED = st.fixed_dictionaries({"tracesplice": PARTS.pop("tracesplice")}, optional=PARTS)


@settings(max_examples=2_500)
@given(MIXED)
def test_parts_of_several_carriers_are_never_one(carrier: dict[str, str]) -> None:
    found = read(carrier)
    assert found is None or found in map(read, ORIGINALS)


@settings(max_examples=2_500)
@given(JSON | st.dictionaries(NAMES, JSON) | st.dictionaries(NAMES, TEXT))
def test_whatever_it_is_nothing_happens(carrier: Any) -> None:
    before = otel_context.get_current()
    with propagate_attributes(**EVE), tracesplice.resume(carrier):
        linked = link_request({}, {})
    assert otel_context.get_current() == before
    assert "eve" not in str(linked.body)
    headers = linked.headers
    assert all(len(value) < 100 for value in headers.values())
    if "traceparent" in headers:
        assert (link := read(carrier)) is not None
        assert headers["traceparent"].split("-")[1] == link.trace_id


REFUSED: Mapping[str, Any] = {
    "nothing": None,
    "no mapping": "00-1-2-03",
    "empty": {},
    "somebody else's": {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"},
    "another version's": {**carrier_of(EVERYTHING_LINKED), "tracesplice": f"2-{'a' * 16}"},
    "cut off": {name: value[:60] for name, value in carrier_of(EVERYTHING_LINKED).items()},
    "a part": {"tracesplice": carrier_of(EVERYTHING_LINKED)["tracesplice"]},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_said(name: str, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        with tracesplice.resume(REFUSED[name]):
            assert capture_link() == Link()
    [record] = caplog.records
    assert "tracesplice.capture()" in record.getMessage()
    assert "as it is. The calls inside are not linked." in record.getMessage()
    with pytest.raises(tracesplice.TracespliceError, match="Pass on the dict"):
        tracesplice.resume(REFUSED[name], strict=True)


def test_what_is_no_text_is_named() -> None:
    with pytest.raises(tracesplice.TracespliceError, match="traceparent is not one text"):
        tracesplice.resume({"traceparent": 1}, strict=True)  # type: ignore[dict-item]


class Broken(dict[str, str]):
    """A mapping of somebody's that fails."""

    def __getitem__(self, key: str) -> str:
        raise RuntimeError(key)


def test_a_mapping_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    with tracesplice.resume(Broken(a="b")):
        assert capture_link() == Link()
    assert "RuntimeError" in caplog.text
    with pytest.raises(tracesplice.TracespliceError):
        tracesplice.resume(Broken(a="b"), strict=True)


def test_other_programs_read_it(langfuse: Langfuse) -> None:
    with place(langfuse, **EVERYTHING) as span:
        carrier = tracesplice.capture()
    context = extract(carrier)
    assert trace.get_current_span(context).get_span_context().trace_id == int(span.trace_id, 16)
    assert baggage.get_baggage("langfuse_user_id", context) == "ann"
    with attached(context):
        found = capture_link()
    assert (found.user_id, found.tags, found.prompt) == ("ann", ("a", "b"), ("ambient", 2))


def test_headers_of_other_programs_are_read(langfuse: Langfuse) -> None:
    with place(langfuse, **ANN) as span:
        carrier = tracesplice.capture()
    headers = {"Traceparent": carrier["traceparent"], "Baggage": carrier["baggage"], "Host": "x"}
    with tracesplice.resume(headers, strict=True):
        link = capture_link()
        assert (link.trace_id, link.user_id) == (span.trace_id, "ann")


def test_what_does_not_fit_is_left_out(
    langfuse: Langfuse, caplog: pytest.LogCaptureFixture
) -> None:
    long = {"metadata": {str(number): "x" * 190 for number in range(40)}, "version": "v"}
    with place(langfuse, **ANN, **long) as span:
        carrier = tracesplice.capture()
        tracesplice.capture()
    assert 3_500 < len(json.dumps(carrier)) <= MAX_CARRIER
    with tracesplice.resume(carrier, strict=True):
        link = capture_link()
    assert (link.trace_id, link.user_id, link.version) == (span.trace_id, "ann", "v")
    assert 10 < len(link.metadata) < 30
    [record] = caplog.records
    assert "metadata" in record.getMessage()


@settings(max_examples=2_500)
@given(MIXED)
def test_no_carrier_is_taken_for_one_that_was_read_before(carrier: dict[str, str]) -> None:
    with tracesplice.resume(carrier):
        assert capture_link() == (read(carrier) or Link())


def test_what_was_captured_is_the_callers_own(langfuse: Langfuse) -> None:
    with place(langfuse, **ANN):
        carrier = tracesplice.capture()
        kept = carrier.copy()
        carrier.clear()
        assert tracesplice.capture() == kept


def test_what_is_long_is_not_kept_in_memory(langfuse: Langfuse) -> None:
    with place(langfuse, **ANN):
        carrier = tracesplice.capture()
    headers = {name: carrier[name] for name in ("traceparent", "baggage")}
    before = _carrier._kept.cache_info().currsize
    for long in (
        {**headers, "baggage": carrier["baggage"] + ",a=" + "b" * MAX_CARRIER},
        {**headers, "b" * MAX_CARRIER: "long"},
    ):
        with tracesplice.resume(long, strict=True):
            assert capture_link().user_id == "ann"
    assert _carrier._kept.cache_info().currsize == before
