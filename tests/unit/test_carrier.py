"""What a carrier carries, that it is read as it was written or not at all, and how one goes on."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langfuse import propagate_attributes
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context
from opentelemetry.propagate import extract

import tracesplice
from tracesplice.adapter import Link, capture_link, link_request
from tracesplice_wire import MAX_CARRIER, decode_carrier, encode_carrier
from unit.langfuse_ambient import EVERYTHING, EVERYTHING_LINKED, attached
from unit.test_wire import links, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from langfuse import Langfuse

ANN: Any = {"user_id": "ann", "session_id": "monday", "tags": ["a"]}
EVE: Any = {"user_id": "eve", "metadata": {"team": "red"}, "prompt": {"name": "p", "version": 9}}


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


@contextmanager
def place(langfuse: Langfuse, **ambient: Any) -> Iterator[Any]:
    with (
        langfuse.start_as_current_observation(name="outer") as span,
        propagate_attributes(**ambient),
    ):
        yield span


def test_one_goes_on_with_the_same_link(langfuse: Langfuse) -> None:
    with place(langfuse, **EVERYTHING) as span:
        carrier, link = tracesplice.capture(), capture_link()
        assert link.parent_id == span.id
        assert link.project is not None
    with tracesplice.resume(json.loads(json.dumps(carrier)), strict=True):
        assert capture_link() == link
        assert tracesplice.capture() == carrier
        assert link_request({}, {}).headers["traceparent"] == carrier["traceparent"]


def test_an_observation_inside_belongs_to_the_trace(langfuse: Langfuse) -> None:
    with place(langfuse, **EVERYTHING) as span:
        carrier = tracesplice.capture()
    with (
        tracesplice.resume(carrier),
        langfuse.start_as_current_observation(name="inner", as_type="generation") as inner,
    ):
        said: Any = trace.get_current_span()
    assert (inner.trace_id, said.parent.span_id) == (span.trace_id, int(span.id, 16))
    assert said.parent.is_remote
    assert said.attributes["user.id"] == "ann"
    assert said.attributes["langfuse.trace.metadata.team"] in ("red", '"red"')
    assert said.attributes["langfuse.observation.prompt.name"] == "ambient"
    assert said.attributes["langfuse.environment"] == "test"
    assert "langfuse.internal.is_app_root" not in said.attributes


def test_a_call_without_a_trace_keeps_who_it_is_for() -> None:
    with propagate_attributes(**ANN):
        carrier = tracesplice.capture()
    with tracesplice.resume(carrier, strict=True):
        assert capture_link() == Link(user_id="ann", session_id="monday", tags=("a",))


def test_no_sampling_goes_along(langfuse: Langfuse) -> None:
    context = trace.SpanContext(1, 2, False, trace.TraceFlags(0))
    with trace.use_span(trace.NonRecordingSpan(context)):
        carrier = tracesplice.capture()
    with tracesplice.resume(carrier, strict=True):
        assert not capture_link().is_sampled


def test_nothing_of_outside_is_inside(langfuse: Langfuse, caplog: pytest.LogCaptureFixture) -> None:
    with place(langfuse, **ANN):
        carrier, link = tracesplice.capture(), capture_link()
    own = baggage.set_baggage("langfuse_user_id", "eve", baggage.set_baggage("mine", "1"))
    with place(langfuse, **EVE), attached(otel_context.set_value("mine", 2, own)):
        outside = capture_link()
        for given, expected in ((carrier, link), (None, Link())):
            with tracesplice.resume(given):
                assert capture_link() == expected
                # What is not Langfuse's stays.
                assert (baggage.get_baggage("mine"), otel_context.get_value("mine")) == ("1", 2)
            assert capture_link() == outside
    assert "tracesplice" in caplog.text


def test_what_is_outside_comes_back(langfuse: Langfuse) -> None:
    with place(langfuse, **ANN):
        one = tracesplice.resume(tracesplice.capture())
    with place(langfuse, **EVE):
        other = tracesplice.resume(tracesplice.capture())
    before = otel_context.get_current()
    with pytest.raises(KeyError), one, other, one:
        raise KeyError(capture_link().user_id)
    assert otel_context.get_current() is before
    with one:
        with other:
            assert capture_link().user_id == "eve"
            otel_context.attach(otel_context.set_value("left", "behind"))
        assert capture_link().user_id == "ann"
        assert otel_context.get_value("left") is None
    assert otel_context.get_current() is before


def test_a_generator_may_be_closed_elsewhere(
    langfuse: Langfuse, caplog: pytest.LogCaptureFixture
) -> None:
    with place(langfuse, **ANN):
        carrier = tracesplice.capture()

    async def items() -> Any:
        async with tracesplice.resume(carrier):
            yield 1
            yield 2

    async def main() -> None:
        stream = items()
        await asyncio.ensure_future(anext(stream))
        before = otel_context.get_current()
        await asyncio.ensure_future(stream.aclose())
        assert otel_context.get_current() is before

    asyncio.run(main())
    assert caplog.text == ""


def test_tasks_and_threads_at_once(langfuse: Langfuse) -> None:
    with place(langfuse, **ANN):
        shared = tracesplice.resume(tracesplice.capture())

    async def one(turns: int) -> None:
        for _ in range(turns):
            async with shared:
                await asyncio.sleep(0)
                assert capture_link().user_id == "ann"
            assert capture_link() == Link()

    async def all_of_them() -> None:
        await asyncio.gather(*(one(turns) for turns in range(20)))

    failed: list[BaseException] = []

    def thread() -> None:
        try:
            asyncio.run(all_of_them())
        except BaseException as error:  # noqa: BLE001  (shown by the test)
            failed.append(error)

    threads = [threading.Thread(target=thread) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []


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
