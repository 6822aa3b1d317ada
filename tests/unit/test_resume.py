"""How one goes on from a carrier, and that what is outside stays outside."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from langfuse import propagate_attributes
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context

import tracesplice
from tracesplice.adapter import Link, capture_link, link_request
from unit.carriers import ANN, EVE, place
from unit.langfuse_ambient import EVERYTHING, attached

if TYPE_CHECKING:
    from langfuse import Langfuse


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


def test_of_long_headers_no_half_value_is_believed() -> None:
    around = f"langfuse_session_id=monday,x={'x' * 8_140}"
    headers = {
        "traceparent": f"00-{1:032x}-{2:016x}-01",
        "baggage": f"{around},langfuse_user_id=alice123",
    }
    with tracesplice.resume(headers, strict=True):
        assert (capture_link().session_id, capture_link().user_id) == ("monday", None)


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
