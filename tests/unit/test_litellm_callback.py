"""A fault of the gateway adapter's costs no call, no answer and no report; needs LiteLLM."""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NoOpTracer

pytest.importorskip("litellm", reason="LiteLLM is not in every environment of the client")
from litellm.integrations.otel.model.config import is_otel_v2_enabled

from tracesplice_litellm import _call, _callback, _export, _langfuse, _langfuse_otel, _spans
from tracesplice_litellm._callback import adapter
from tracesplice_litellm._generation import COST, NOTHING, TYPE, USAGE
from tracesplice_litellm._loggers import loggers
from tracesplice_litellm._request import Request
from tracesplice_litellm._rewrite import report_own_metadata
from tracesplice_wire import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AUTH = "user_api_key_auth"


def broken(*_: object, **__: object) -> Any:
    raise RuntimeError("broken on purpose")


@pytest.fixture(autouse=True)
def _nothing_is_served() -> Iterator[None]:
    yield
    _call.served.set(None)


def before_the_call(data: dict[str, Any]) -> object:
    return asyncio.run(adapter.async_pre_call_hook(None, None, data, "acompletion"))


def with_the_answer(data: dict[str, Any]) -> object:
    return asyncio.run(adapter.async_post_call_response_headers_hook(data, None, object()))


def start_a_span(_: object) -> None:
    provider = TracerProvider()
    _spans.watch(provider, broken)
    provider.get_tracer("litellm").start_span("generation")


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], object], Any, str]] = {
    "the links of this gateway": (before_the_call, type(loggers), "prepared"),
    "the link of a call": (before_the_call, _callback, "splice_request"),
    "the link of a call, which is sent": (
        lambda data: adapter.log_pre_api_call("m", [], data),
        _callback,
        "report_own_metadata",
    ),
    "the link of a call, which is reported": (_call.read_report, _call, "_find"),
    "the link of a call, in a span": (start_a_span, None, ""),
    "the header that says who counts a call": (with_the_answer, _callback, "reports"),
    "the choice of spans for Langfuse": (lambda _: _export.for_langfuse([None]), None, ""),  # type: ignore[list-item]
}


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_of_ours_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    use, owner, name = FAULTS[what]
    data: dict[str, Any] = {"metadata": {}, "proxy_server_request": {"headers": {}}}
    _call.begin(data)
    if owner is not None:
        monkeypatch.setattr(owner, name, broken)
    use(data)
    assert f"left out {what.partition(',')[0]}" in caplog.text


def test_a_second_report_of_a_generation_says_zero() -> None:
    _call.begin({})
    tracer = TracerProvider().get_tracer("langfuse-sdk")
    found = []
    for name in ("image", "image", "another"):
        span: Any = tracer.start_span(name, start_time=7, attributes={TYPE: "generation"})
        _langfuse._put_link(span)
        found.append({key: span.attributes.get(key) for key in (COST, USAGE)})
    assert found[1] == NOTHING != found[0] == found[2]


@pytest.mark.parametrize("payload", [None, {}, {"metadata": None}])
def test_without_litellm_s_own_metadata_nothing_is_made_up(payload: Any) -> None:
    kwargs = {"standard_logging_object": payload}
    assert _langfuse_otel._without_defaults(kwargs, None) is kwargs


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (None, None),
        ({"metadata": {"a": 1}}, {"metadata": {"a": 1}}),
        (
            {"metadata": {"team": "blue"}, "litellm_metadata": {AUTH: 1}},
            {"metadata": {AUTH: 1}, "litellm_metadata": {AUTH: 1}},
        ),
        (
            {"metadata": {AUTH: 2}, "litellm_metadata": {AUTH: 1}},
            {"metadata": {AUTH: 2}, "litellm_metadata": {AUTH: 1}},
        ),
        ({"litellm_session_id": "s" * 201}, {"litellm_session_id": None}),
        ({"litellm_session_id": "s"}, {"litellm_session_id": "s"}),
    ],
)
def test_litellm_reports_from_what_it_wrote_itself(params: Any, expected: Any) -> None:
    kwargs = {"litellm_params": params}
    report_own_metadata(kwargs)
    assert kwargs == {"litellm_params": expected}


OLDER = SimpleNamespace()
PROVIDER = TracerProvider()
NEWER, SWITCHED_OFF = (
    SimpleNamespace(tracing=SimpleNamespace(provider=PROVIDER, tracer=tracer))
    for tracer in (PROVIDER.get_tracer("langfuse-sdk"), NoOpTracer())
)


@pytest.mark.parametrize(
    ("rate", "older", "newer"),
    [
        (None, True, True),
        ("1", True, True),
        (" 1.0 ", True, True),
        ("0.5", False, False),
        ("0", False, False),
        ("2", False, True),
        ("half", False, True),
        ("nan", False, True),
    ],
)
def test_a_sample_rate_is_read_as_the_logger_reads_it(
    monkeypatch: pytest.MonkeyPatch, rate: str | None, *, older: bool, newer: bool
) -> None:
    monkeypatch.delenv("LANGFUSE_SAMPLE_RATE", raising=False)
    if rate is not None:
        monkeypatch.setenv("LANGFUSE_SAMPLE_RATE", rate)
    call = _call.begin({})
    assert _langfuse.reports(OLDER, call, None) is older
    assert _langfuse.reports(NEWER, call, None) is newer


@pytest.mark.parametrize("trace_id", [None, "7" * 32])
def test_opentelemetry_that_is_switched_off_reports_nothing(trace_id: str | None) -> None:
    call = _call.begin({})
    call.request = Request(Link(trace_id=trace_id))
    assert _langfuse._watch(SWITCHED_OFF)
    assert not _langfuse.reports(SWITCHED_OFF, call, None)


@pytest.mark.parametrize(
    ("value", "filters"),
    [(None, False), ("false", False), ("0", False), ("off", False), ("true", True), ("1", True)],
)
@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_exports_are_filtered_where_litellm_takes_the_mode_for_on(
    monkeypatch: pytest.MonkeyPatch, value: str | None, *, filters: bool, is_elsewhere: bool
) -> None:
    if is_elsewhere:  # as in another release
        monkeypatch.setitem(sys.modules, "litellm.integrations.otel.model.config", None)
    monkeypatch.delenv("LITELLM_OTEL_V2", raising=False)
    if value is not None:
        monkeypatch.setenv("LITELLM_OTEL_V2", value)
    done: list[bool] = []
    monkeypatch.setattr(_export, "filter_exports", lambda: done.append(True))
    is_otel_v2_enabled.cache_clear()
    type(adapter)()
    is_otel_v2_enabled.cache_clear()
    assert bool(done) is filters
