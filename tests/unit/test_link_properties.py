"""Whatever is ambient, in baggage or on a span: a link comes out, and can be sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import TracerProvider

from tracesplice._request import capture_link
from tracesplice_wire import encode_headers, encode_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracesplice_wire import Link

TRACER = TracerProvider().get_tracer("langfuse-sdk", attributes={"public_key": "pk-\ud800"})
NAMES = [
    *("user_id", "session_id", "tags", "trace_name", "environment", "version", "metadata"),
    *("prompt_name", "prompt_version", "metadata_x", "metadata_\udc00"),
]
ON_SPAN = [
    *("user.id", "session.id", "langfuse.trace.tags", "langfuse.trace.name", "langfuse.version"),
    *("langfuse.environment", "deployment.environment", "langfuse.trace.metadata.x"),
    *("langfuse.observation.metadata.langfuse_user_id", "langfuse.observation.prompt.name"),
    *("langfuse.observation.metadata.langfuse_tags", "langfuse.observation.prompt.version"),
]
MAX_BYTES = 150_000


class Odd(str):
    """A text that does not behave as one."""

    __slots__ = ()

    def __len__(self) -> int:
        raise RuntimeError

    def __str__(self) -> str:
        raise RuntimeError

    def __eq__(self, _: object) -> bool:
        raise RuntimeError

    __hash__ = str.__hash__


TEXT = st.text(st.characters(exclude_categories=()), max_size=300)
ODD = st.builds(lambda: 10**5_000) | st.builds(Odd, TEXT) | st.builds(object) | st.binary()
SCALAR = TEXT | ODD | st.integers() | st.floats() | st.booleans() | st.none()
JSON = st.sampled_from(
    ['["a", "b"]', '["\\ud800", 3]', '"ann"', '"\\ud800"', "[" * 10_000, "9" * 4_400]
)
LONG = st.sampled_from(["\0", "x" * 200, "\U0001f642" * 200, "x" * 100_000])
MANY = st.integers(0, 10_000).map(lambda size: [f"{number}" * 40 for number in range(size)])
VALUES = st.one_of(
    *(SCALAR, JSON, LONG, MANY),
    st.lists(SCALAR | LONG),
    st.dictionaries(TEXT | st.integers(), SCALAR | LONG | JSON),
    st.integers(0, 10_000).map(lambda size: {f"{number}": "x" * 200 for number in range(size)}),
)


@pytest.fixture
def _clean() -> Iterator[None]:
    token = otel_context.attach(otel_context.Context())
    yield
    otel_context.detach(token)


@pytest.mark.usefixtures("_clean", "lenient")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ambient=st.dictionaries(st.sampled_from(NAMES), VALUES),
    carried=st.dictionaries(st.sampled_from(NAMES), VALUES),
    on_span=st.dictionaries(st.sampled_from(ON_SPAN), VALUES),
    ids=st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 2**64 - 1), st.integers(0, 999)),
)
@example({"tags": ["\U0001f642" * 200] * 99}, {}, {}, (1, 1, 1))
def test_any_value_leaves_a_link_that_can_be_sent(
    ambient: dict[str, Any],
    carried: dict[str, Any],
    on_span: dict[str, Any],
    ids: tuple[int, int, int],
) -> None:
    context = otel_context.get_current()
    for name, value in ambient.items():
        context = otel_context.set_value(f"langfuse.propagated.{name}", value, context)
    for name, value in carried.items():
        context = baggage.set_baggage(f"langfuse_{name}", value, context)
    token = otel_context.attach(context)
    try:
        found = capture_link(span_with(on_span))
        trace_id, span_id, flags = ids
        place = trace.SpanContext(trace_id, span_id, True, trace.TraceFlags(flags))
        remote = capture_link(trace.NonRecordingSpan(place))
    finally:
        otel_context.detach(token)
    for link in (found, remote):
        check(link)
    assert found.trace_id is not None
    assert (remote.trace_id is None) == (not place.is_valid)


def span_with(attributes: dict[str, Any]) -> trace.Span:
    # Not all of them pass the SDK; other implementations of a span may let them.
    span: Any = TRACER.start_span("x")
    span._attributes = attributes
    return span  # type: ignore[no-any-return]


def check(link: Link) -> None:
    metadata = encode_metadata(link)
    sent = json.dumps(metadata, ensure_ascii=False).encode()
    assert json.loads(sent) == metadata
    assert len(sent) < MAX_BYTES
    headers = encode_headers(link)
    assert all(value.isascii() and len(value) <= 55 for value in headers.values())
