"""The link is that of the observation the call really belongs to, whichever client made it."""

from __future__ import annotations

import importlib
import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import openai
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice
from faults.wire import client_of, links, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse import Langfuse

    from tracesplice_testing.model import ModelServer


def link(wire: ModelServer) -> dict[str, Any]:
    [(_, metadata, _)] = links(wire)
    return metadata


def test_the_inner_of_two_clients(wire: ModelServer, make_langfuse: Callable[[], Langfuse]) -> None:
    first, second = make_langfuse(), make_langfuse()
    with (
        client_of(wire) as client,
        first.start_as_current_observation(name="outer"),
        second.start_as_current_observation(name="inner") as inner,
    ):
        say(tracesplice.splice(client))
    assert link(wire)["parent_observation_id"] == inner.id


def test_generation_of_the_client_that_traces_the_call(
    wire: ModelServer, make_langfuse: Callable[[], Langfuse]
) -> None:
    importlib.import_module("langfuse.openai")
    first, second = make_langfuse(), make_langfuse()
    key = second._resources.public_key  # type: ignore[union-attr]
    started: list[str] = []

    class Started(SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            started.append(trace.format_span_id(span.context.span_id))

    second._resources.tracer_provider.add_span_processor(Started())  # type: ignore[union-attr]
    with client_of(wire) as client, first.start_as_current_observation(name="outer") as outer:
        say(tracesplice.splice(client), langfuse_public_key=key)
    assert link(wire)["existing_trace_id"] == outer.trace_id
    assert [link(wire)["parent_observation_id"]] == started


def test_a_client_of_the_user_s_may_hand_its_request_on_by_name(
    wire: ModelServer, langfuse: Langfuse
) -> None:
    importlib.import_module("langfuse.openai")

    class Client(openai.OpenAI):
        def request(self, cast_to: Any, options: Any, **more: Any) -> Any:
            return super().request(cast_to=cast_to, options=options, **more)

    key = langfuse._resources.public_key  # type: ignore[union-attr]
    with (
        Client(base_url=f"{wire.url}/v1", api_key="k") as client,
        langfuse.start_as_current_observation(name="s") as span,
    ):
        say(tracesplice.splice(client), langfuse_public_key=key)
    sent = link(wire)
    assert sent["existing_trace_id"] == span.trace_id
    assert sent["parent_observation_id"] != span.id  # but its generation's


def test_an_open_stream_is_no_parent_of_the_next_call(
    wire: ModelServer, langfuse: Langfuse
) -> None:
    # langfuse.openai traces the stream and not the image; its generation ends with the stream.
    importlib.import_module("langfuse.openai")
    with client_of(wire) as client, langfuse.start_as_current_observation(name="s") as span:
        tracesplice.splice(client)
        key = langfuse._resources.public_key  # type: ignore[union-attr]
        stream = say(client, stream=True, langfuse_public_key=key)
        client.images.generate(model="gpt-image-1", prompt="a cat")
        stream.close()
    first, second = (request.json["litellm_metadata"] for request in wire.calls)
    assert first["parent_observation_id"] != span.id  # type: ignore[index]
    assert second["parent_observation_id"] == span.id  # type: ignore[index]


def test_an_open_stream_of_a_client_that_is_not_spliced_is_no_parent(
    wire: ModelServer, langfuse: Langfuse
) -> None:
    importlib.import_module("langfuse.openai")
    key = langfuse._resources.public_key  # type: ignore[union-attr]
    with (
        client_of(wire) as other,
        client_of(wire) as client,
        langfuse.start_as_current_observation(name="s") as span,
    ):
        tracesplice.splice(client)
        stream = say(other, stream=True, langfuse_public_key=key)
        client.images.generate(model="gpt-image-1", prompt="a cat")
        stream.close()
    first, second = wire.calls
    assert "litellm_metadata" not in first.json
    assert second.json["litellm_metadata"]["parent_observation_id"] == span.id  # type: ignore[index]


def test_what_a_call_of_langfuse_openai_says_of_user_session_and_tags(
    wire: ModelServer, langfuse: Langfuse
) -> None:
    importlib.import_module("langfuse.openai")
    key = langfuse._resources.public_key  # type: ignore[union-attr]
    given = {"langfuse_user_id": "ann", "langfuse_session_id": "s1", "langfuse_tags": ["a", "b"]}
    with client_of(wire) as client:
        say(tracesplice.splice(client), metadata=given, langfuse_public_key=key)
    sent = link(wire)
    assert (sent["trace_user_id"], sent["session_id"], sent["tags"]) == ("ann", "s1", ["a", "b"])


@pytest.mark.parametrize("reports_to", [0, 1])
def test_figures_count_in_the_project_that_the_gateway_reports_to(
    wire: ModelServer, make_langfuse: Callable[..., Langfuse], reports_to: int
) -> None:
    exported = [InMemorySpanExporter(), InMemorySpanExporter()]
    clients = [
        make_langfuse(span_exporter=each, mask_otel_spans=tracesplice.count_usage_once())
        for each in exported
    ]
    usage = {"input": 3, "output": 4, "total": 7}
    for number, langfuse in enumerate(clients):
        reports = str(number == reports_to).lower()
        wire.answer_headers.update({"x-tracesplice-reports": reports})
        with (
            client_of(wire) as client,
            langfuse.start_as_current_observation(
                name="g", as_type="generation", model="m", usage_details=usage
            ),
        ):
            say(tracesplice.splice(client))
        langfuse.flush()
    projects = [request.headers["x-tracesplice-project"] for request in wire.calls]
    keys = [each._resources.public_key for each in clients]  # type: ignore[union-attr]
    assert projects == [sha256(key.encode()).hexdigest()[:16] for key in keys]
    said = [json.loads(str(usage_of(each))) for each in exported]
    zero = dict.fromkeys(usage, 0)
    assert said == [zero if number == reports_to else usage for number in (0, 1)]


def usage_of(exported: InMemorySpanExporter) -> object:
    [span] = exported.get_finished_spans()
    return (span.attributes or {})["langfuse.observation.usage_details"]
