"""How the gateway adapter finds a call again, and what it lets through to Langfuse."""

from __future__ import annotations

import asyncio
import copy
import json
from contextvars import copy_context
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tracesplice_litellm._call import Call, at_work, begin, call_of, read_report, report
from tracesplice_litellm._export import NEW_NAME, PARENT, filter_exports, for_langfuse
from tracesplice_litellm._generation import COST, NOTHING, USAGE, missing_figures
from tracesplice_litellm._patch import replace
from tracesplice_litellm._request import Request
from tracesplice_litellm._server_spans import VARIABLE, server_spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PLACE = "b7ad6b7169203331"


def request(call_id: str = "chosen") -> dict[str, Any]:
    """A request whose client chose LiteLLM's id of it."""
    logging = SimpleNamespace(litellm_call_id=call_id, model_call_details={})
    return {"litellm_call_id": call_id, "litellm_logging_obj": logging}


def details(data: dict[str, Any]) -> dict[str, Any]:
    """What LiteLLM hands to its loggers of it."""
    held = data["litellm_logging_obj"].model_call_details
    return {**held, "litellm_call_id": data["litellm_call_id"]}


def reported(found: dict[str, Any]) -> Call | None:
    return read_report(found).call


def named(name: str) -> Request:
    return Request(generation_name=name)


def in_no_context(data: dict[str, Any]) -> dict[str, Any]:
    """Begun in a context that whoever reports it does not have."""
    copy_context().run(begin, data)
    return data


def test_a_call_is_found_by_what_the_gateway_made() -> None:
    first, second = in_no_context(request()), in_no_context(request())
    assert reported(details(first)) is call_of(first)
    assert reported(details(first)) is not reported(details(second)) is not None
    assert reported({"litellm_call_id": "chosen"}) is None
    assert reported({}) is None


def test_without_a_logging_object_the_request_s_own_text_carries_it() -> None:
    data: dict[str, Any] = {"litellm_call_id": "chosen", "proxy_server_request": {"headers": {}}}
    in_no_context(data)
    assert reported({"litellm_params": data}) is call_of(data) is not None
    assert json.loads(json.dumps(data)) == data  # who stores it meets nothing that JSON cannot hold


def test_a_copy_of_a_request_is_of_the_same_call() -> None:
    data = in_no_context({"litellm_call_id": "chosen", "proxy_server_request": {"headers": {}}})
    # As LiteLLM's router does, so that a second report of images is still known for one.
    assert reported({"litellm_params": copy.deepcopy(data)}) is call_of(data) is not None


def test_what_was_served_in_this_context_before_is_of_another_call() -> None:
    def next_request() -> None:
        for other in ({"litellm_call_id": "a health check's"}, {}):
            token = report.set(read_report(other))
            assert at_work() is None
            report.reset(token)
        assert at_work() is call is not None
        assert call_of({"litellm_call_id": "another", "proxy_server_request": {}}) is None
        assert begin({}).request == Request()

    call = begin(request())
    call.request = named("me")
    copy_context().run(next_request)


def test_many_at_once_are_told_apart() -> None:
    async def serve(number: int) -> bool:
        data = request()
        begin(data).request = named(str(number))
        await asyncio.sleep(0)
        report.set(read_report(details(data)))
        await asyncio.sleep(0)
        call = at_work()
        return call is not None and call.request == named(str(number))

    async def all_at_once() -> list[bool]:
        return await asyncio.gather(*map(serve, range(50)))

    assert all(asyncio.run(all_at_once()))


def test_of_a_pass_through_endpoint_the_headers_are_read_late() -> None:
    data = request()
    data["litellm_logging_obj"].call_type = "pass_through_endpoint"
    call = begin(data)
    assert call_of({}) is call  # it has lost all that tells whose it is
    headers = {"traceparent": f"00-{'1' * 32}-{PLACE}-01"}
    params: dict[str, Any] = {"metadata": {}, "proxy_server_request": {"headers": headers}}
    assert reported({**details(data), "litellm_params": params}) is call
    assert (call.request.link.trace_id, call.request.link.parent_id) == ("1" * 32, PLACE)
    assert params["metadata"]["parent_observation_id"] == PLACE


def finished(scope: str, name: str, **attributes: Any) -> Sequence[ReadableSpan]:
    """A span, and one of the gateway's own that it is under."""
    memory, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with provider.get_tracer("fastapi").start_as_current_span("POST /chat/completions"):
        provider.get_tracer(scope).start_span(name, attributes=attributes).end()
    return memory.get_finished_spans()


def exported(scope: str, name: str, **attributes: Any) -> list[ReadableSpan]:
    """What Langfuse would get of such a span."""
    return for_langfuse(finished(scope, name, **attributes)[:1]) or []


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    server_spans.cache_clear()
    yield
    server_spans.cache_clear()


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        ("fastapi", "fastapi.dependencies"),
        ("litellm", "cache.set llm_response"),
        ("opentelemetry.instrumentation.fastapi", "GET /health/readiness"),
    ],
)
def test_server_spans_are_left_out_or_let_in_as_spans(
    monkeypatch: pytest.MonkeyPatch, scope: str, name: str
) -> None:
    model = {"gen_ai.request.model": "chat", "litellm.team": "a"}
    assert exported(scope, name, **model) == []
    monkeypatch.setenv(VARIABLE, "true")
    server_spans.cache_clear()
    [span] = exported(scope, name, **model)
    assert span.attributes == {"langfuse.observation.type": "span", "litellm.team": "a"}


def test_a_generation_goes_under_the_client_s_observation() -> None:
    # And so do guardrails and tools of MCP.
    for marks, name in (({NEW_NAME: "answer"}, "answer"), ({}, "tools/call weather")):
        [span] = exported("litellm", "tools/call weather", **{PARENT: PLACE, "a": 1, **marks})
        assert (span.name, span.attributes) == (name, {"a": 1})
        assert span.parent is not None
        assert span.context is not None
        assert f"{span.parent.span_id:016x}" == PLACE
        assert span.parent.trace_id == span.context.trace_id


@pytest.mark.parametrize("marks", [{PARENT: ""}, {"langfuse.observation.type": "generation"}])
def test_a_generation_without_a_client_s_is_a_named_root(marks: dict[str, str]) -> None:
    [span] = exported("litellm", "chat gpt", **marks)
    assert span.parent is None
    assert (span.attributes or {})["langfuse.trace.name"] == "chat gpt"


def test_a_span_of_someone_else_s_stays_as_it_is() -> None:
    for scope, attributes in (
        ("mine", {}),
        ("langfuse-sdk", {"langfuse.observation.type": "tool"}),
    ):
        [span] = exported(scope, "work", **attributes)
        assert (span.name, span.attributes) == ("work", attributes)
        assert span.parent is not None


@pytest.mark.parametrize("path", ["/api/public/otel/v1/traces", "/v1/traces"])
def test_another_receiver_gets_every_span_as_it_is(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    sent: list[Sequence[ReadableSpan]] = []

    def export(_: Any, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        sent.append(spans)
        return SpanExportResult.SUCCESS

    monkeypatch.setattr(OTLPSpanExporter, "export", export)
    filter_exports()
    filter_exports()
    spans = finished("litellm", "chat gpt", **{PARENT: PLACE, NEW_NAME: "answer"})
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:9{path}")
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert exporter.export(spans[1:]) is SpanExportResult.SUCCESS
    if path == "/v1/traces":
        assert sent == [spans, spans[1:]]
    else:  # Langfuse's: of the server's own span alone it gets nothing
        assert [[each.name for each in batch] for batch in sent] == [["answer"]]


USED = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
TOKENS = json.dumps({"input": 3, "output": 4, "total": 7})
FAILED = {"exception": ValueError("no")}
RELAYED = {"call_type": "pass_through_endpoint", "standard_logging_object": USED}


@pytest.mark.parametrize(
    ("details", "reported", "expected"),
    [
        ({"response_cost": 0.5}, {}, {COST: '{"total": 0.5}'}),
        ({"response_cost": 0.5}, {COST: '{"total": 0}'}, {}),
        ({"standard_logging_object": USED}, {USAGE: NOTHING[USAGE]}, {USAGE: TOKENS}),
        ({"standard_logging_object": USED}, {USAGE: '{"input": 1}'}, {}),
        ({"response_cost": None}, {}, {}),
        (FAILED, {}, dict(NOTHING)),
        ({**FAILED, "response_cost": 0.5}, {}, {**NOTHING, COST: '{"total": 0.5}'}),
        ({"call_type": "pass_through_endpoint", "response_cost": True}, {}, dict(NOTHING)),
        (RELAYED, {}, {USAGE: TOKENS}),
        ({**RELAYED, "response_cost": 0.0}, {}, {USAGE: TOKENS, COST: '{"total": 0.0}'}),
        ({**RELAYED, **FAILED}, {}, {USAGE: TOKENS, COST: NOTHING[COST]}),
    ],
)
def test_litellm_s_own_figures_fill_what_is_lacking(
    details: dict[str, Any], reported: dict[str, Any], expected: dict[str, str]
) -> None:
    assert missing_figures(details, reported) == expected


def test_a_method_is_replaced_once_where_it_is_defined() -> None:
    class Base:
        def method(self) -> int:
            return 1

        @staticmethod
        def static() -> int:
            return 1

    class Derived(Base):
        pass

    for kind in (Derived, Base):
        for name in ("method", "static", "missing"):
            replace(kind, name, lambda original: lambda *args: original(*args) + 1)
    assert (Base().method(), Derived.static(), hasattr(Base, "missing")) == (2, 2, False)
