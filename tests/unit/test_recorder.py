"""The recorder keeps Langfuse's rules: shown by the real SDK, and by hand-made requests."""

from __future__ import annotations

import base64
import gzip
import json
import threading
import urllib.error
import urllib.request
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
from langfuse import Langfuse, propagate_attributes
from langfuse.api import NotFoundError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider

from rig.recorder import Observation, Recorder, RecorderTimeout
from rig.recorder._usage import usage_details
from rig.recorder.reader import LangfuseReader, TraceNotReadyError

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACE = "0af7651916cd43dd8448eb211c80319c"
GENERATION = "langfuse.observation.type"
USAGE = "langfuse.observation.usage_details"
COST = "langfuse.observation.cost_details"
PROMPT = "langfuse.observation.prompt.name"
VERSION = "langfuse.observation.prompt.version"
OTEL = "/api/public/otel/v1/traces"
MESSAGES = [{"role": "system", "content": "Hi {{name}}"}, {"type": "placeholder", "name": "past"}]


@pytest.fixture(scope="module")
def server() -> Iterator[Recorder]:
    with Recorder() as recorder:
        yield recorder


@pytest.fixture
def rec(server: Recorder) -> Recorder:
    server.reset()
    return server


@pytest.fixture
def sdk(rec: Recorder) -> Iterator[Langfuse]:
    client = Langfuse(
        tracer_provider=TracerProvider(),
        base_url=rec.url,
        public_key=rec.public_key,
        secret_key=rec.secret_key,
    )
    yield client
    client.shutdown()


def call(
    rec: Recorder,
    path: str,
    body: bytes | dict[str, Any] | None = None,
    *,
    keys: str | None = None,
    **headers: str,
) -> tuple[int, Any]:
    """One request; the status and the JSON of the answer."""
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    token = base64.b64encode((keys or f"{rec.public_key}:{rec.secret_key}").encode()).decode()
    sent = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(rec.url + path, data, sent)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def value(raw: Any) -> dict[str, Any]:
    if isinstance(raw, bool):
        return {"boolValue": raw}
    if isinstance(raw, list):
        return {"arrayValue": {"values": [value(item) for item in raw]}}
    kinds = {int: "intValue", float: "doubleValue", str: "stringValue"}
    return {kinds[type(raw)]: str(raw) if isinstance(raw, int) else raw}


def pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value(raw)} for key, raw in attributes.items()]


def spans(
    *made: dict[str, Any], scope: str = "test", resource: dict[str, Any] | None = None
) -> dict[str, Any]:
    group = {
        "resource": {"attributes": pairs(resource or {})},
        "scopeSpans": [{"scope": {"name": scope}, "spans": list(made)}],
    }
    return {"resourceSpans": [group]}


def span(number: int = 1, parent: int | None = None, /, **attributes: Any) -> dict[str, Any]:
    """A span in OTLP's JSON; it starts `number` seconds after 1970."""
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "name": f"span {number}",
        "startTimeUnixNano": str(number * 10**9),
        "endTimeUnixNano": str(number * 10**9 + 5 * 10**8),
        "attributes": pairs(attributes),
        **({"parentSpanId": f"{parent:016x}"} if parent else {}),
    }


def send(rec: Recorder, *made: dict[str, Any], **more: Any) -> None:
    assert call(rec, OTEL, spans(*made, **more)) == (200, {})


def observed(rec: Recorder, **attributes: Any) -> Observation:
    """The one observation that a span of these attributes becomes."""
    rec.clear()
    send(rec, span(**attributes))
    (observation,) = rec.observations()
    return observation


def kinds(rec: Recorder) -> list[str]:
    return [problem.kind for problem in rec.problems()]


def event(kind: str, body: dict[str, Any], number: int = 1) -> dict[str, Any]:
    at = f"2026-01-01T00:00:{number:02d}.000Z"
    return {"id": f"event-{kind}-{number}", "type": kind, "timestamp": at, "body": body}


def ingest(rec: Recorder, *events: dict[str, Any]) -> dict[str, Any]:
    status, answer = call(rec, "/api/public/ingestion", {"batch": list(events)})
    assert status == 207
    assert isinstance(answer, dict)
    return answer


class TestServer:
    def test_the_sdk_finds_its_project(self, sdk: Langfuse, rec: Recorder) -> None:
        assert sdk.auth_check()
        assert [p.id for p in sdk.api.projects.get().data] == [rec.public_key]
        assert sdk.api.health.health().status == "OK"

    @pytest.mark.parametrize("path", [OTEL, "/api/public/ingestion", "/api/public/v2/prompts"])
    def test_wrong_keys_are_refused_everywhere(self, rec: Recorder, path: str) -> None:
        status, answer = call(rec, path, spans(span()), keys=f"{rec.public_key}:wrong")
        assert status == 401
        assert "Invalid credentials" in answer["message"]
        assert rec.observations() == []
        assert rec.requests[f"POST {path} 401"] == 1

    def test_no_keys_are_refused(self, rec: Recorder) -> None:
        assert call(rec, OTEL, {}, Authorization="")[0] == 401

    def test_projects_are_apart(self, rec: Recorder) -> None:
        rec.add_project("pk-other", "sk-other")
        rec.add_prompt("p", "text")
        call(rec, OTEL, spans(span(2)), keys="pk-other:sk-other")
        send(rec, span(1))
        assert {o.id[-1]: o.project for o in rec.observations()} == {
            "1": rec.public_key,
            "2": "pk-other",
        }
        assert call(rec, "/api/public/v2/prompts", keys="pk-other:sk-other")[1]["data"] == []

    def test_the_address_is_free_again_afterwards(self) -> None:
        before = set(threading.enumerate())
        with Recorder() as recorder:
            url = recorder.url
            send(recorder, span())
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(url, timeout=5)
        assert set(threading.enumerate()) <= before
        assert len(recorder.observations()) == 1

    def test_reset_refuses_what_still_comes_for_the_last_keys(self, rec: Recorder) -> None:
        keys = f"{rec.public_key}:{rec.secret_key}"
        rec.add_project("pk-other", "sk-other")
        rec.add_prompt("p", "text")
        send(rec, span())
        rec.reset()
        assert call(rec, OTEL, spans(span()), keys=keys)[0] == 401
        assert call(rec, OTEL, spans(span()), keys="pk-other:sk-other")[0] == 401
        assert (rec.traces(), rec.problems(), rec.add_prompt("p", "text")) == ([], [], 1)

    def test_the_environment_points_here(self, rec: Recorder) -> None:
        assert rec.env() == {
            "LANGFUSE_HOST": rec.url,
            "LANGFUSE_BASE_URL": rec.url,
            "LANGFUSE_PUBLIC_KEY": rec.public_key,
            "LANGFUSE_SECRET_KEY": rec.secret_key,
        }

    def test_media_need_no_upload(self, rec: Recorder) -> None:
        body = {"sha256Hash": "a+b/" + "c" * 40, "contentType": "image/png"}
        answer = (201, {"mediaId": "a-b_" + "c" * 18, "uploadUrl": None})
        assert call(rec, "/api/public/media", body) == answer


class TestWaiting:
    def test_returns_what_the_predicate_found(self, rec: Recorder) -> None:
        sender = threading.Thread(target=send, args=(rec, span()))
        sender.start()
        trace = rec.wait_for(lambda r: r.trace(TRACE))
        sender.join()
        assert trace.id == TRACE

    def test_false_is_not_yet(self, rec: Recorder) -> None:
        with pytest.raises(RecorderTimeout):
            rec.wait_for(lambda r: bool(r.traces()), timeout=0)

    def test_a_timeout_shows_what_was_recorded(self, rec: Recorder) -> None:
        send(rec, span(1), span(2, 1, **{GENERATION: "generation"}))
        with pytest.raises(RecorderTimeout) as caught:
            rec.wait_for(lambda r: r.trace("other"), timeout=0)
        assert "\n  SPAN 'span 1'" in str(caught.value)
        assert "\n    GENERATION 'span 2'" in str(caught.value)
        assert f"1 x POST {OTEL}" in str(caught.value)

    def test_clear_forgets_but_keeps_prompts(self, rec: Recorder) -> None:
        rec.add_prompt("p", "text")
        send(rec, span(), span(2, **{GENERATION: "generation", PROMPT: "p"}))
        rec.clear()
        assert (rec.traces(), rec.problems(), dict(rec.requests)) == ([], [], {})
        assert rec.add_prompt("p", "text") == 2


class TestOtlp:
    def test_protobuf_compressed_and_plain_json_say_the_same(
        self, rec: Recorder, sdk: Langfuse
    ) -> None:
        with sdk.start_as_current_observation(name="root"):
            pass
        sdk.flush()
        assert [o.name for o in rec.observations()] == ["root"]
        body = gzip.compress(json.dumps(spans(span())).encode())
        assert call(rec, OTEL, body, Content_Encoding="gzip")[0] == 200
        assert len(rec.observations()) == 2

    @pytest.mark.parametrize(
        ("body", "headers", "error"),
        [
            (b"x", {"Content_Type": "text/plain"}, "Invalid content type"),
            (b"x", {"Content_Encoding": "gzip"}, "Failed to decompress request body"),
            (b"x", {}, "Failed to parse OTel JSON Trace"),
            (
                b"\xff",
                {"Content_Type": "application/x-protobuf"},
                "Failed to parse OTel Protobuf Trace",
            ),
        ],
    )
    def test_what_is_no_request_is_refused(
        self, rec: Recorder, body: bytes, headers: dict[str, str], error: str
    ) -> None:
        assert call(rec, OTEL, body, **headers) == (400, {"error": error})
        assert kinds(rec) == ["dropped"]

    def test_a_future_ingestion_version_is_refused(self, rec: Recorder) -> None:
        assert call(rec, OTEL, spans(span()), X_Langfuse_Ingestion_Version="4")[0] == 200
        assert call(rec, OTEL, spans(span()), X_Langfuse_Ingestion_Version="5")[0] == 400

    def test_malformed_ids_are_refused(self, rec: Recorder) -> None:
        send(rec, span() | {"traceId": "abc"})
        assert rec.observations() == []
        assert kinds(rec) == ["dropped"]

    def test_every_kind_of_protobuf_value_is_read(self, rec: Recorder) -> None:
        request = ExportTraceServiceRequest()
        made = request.resource_spans.add().scope_spans.add().spans.add()
        made.trace_id, made.span_id, made.name = bytes.fromhex(TRACE), b"\1" * 8, "made"
        for key, kind, raw in (("s", "string_value", "x"), ("i", "int_value", 7)):
            setattr(made.attributes.add(key=key).value, kind, raw)
        made.attributes.add(key="l").value.array_value.values.add().bool_value = True
        body = request.SerializeToString()
        assert call(rec, OTEL, body, Content_Type="application/x-protobuf")[0] == 200
        (observation,) = rec.observations()
        assert observation.attributes == {"s": "x", "i": 7, "l": [True]}
        assert (observation.id, observation.parent_id) == ("01" * 8, None)


class TestTypes:
    @pytest.mark.parametrize(
        ("attributes", "expected"),
        [
            ({}, "SPAN"),
            ({GENERATION: "generation"}, "GENERATION"),
            ({GENERATION: "agent", "openinference.span.kind": "LLM"}, "AGENT"),
            ({GENERATION: "nonsense"}, "SPAN"),
            ({"openinference.span.kind": "LLM"}, "GENERATION"),
            ({"openinference.span.kind": "EMBEDDING"}, "EMBEDDING"),
            ({"openinference.span.kind": "CHAIN", "gen_ai.request.model": "m"}, "CHAIN"),
            ({"gen_ai.operation.name": "chat"}, "GENERATION"),
            ({"gen_ai.operation.name": "embeddings"}, "EMBEDDING"),
            ({"gen_ai.operation.name": "execute_tool"}, "TOOL"),
            ({"gen_ai.tool.name": "weather", "gen_ai.request.model": "m"}, "TOOL"),
            ({"gen_ai.request.model": "m"}, "GENERATION"),
            ({"llm.model_name": "m"}, "GENERATION"),
        ],
    )
    def test_by_attributes(self, rec: Recorder, attributes: dict[str, Any], expected: str) -> None:
        assert observed(rec, **attributes).type == expected

    def test_a_generation_of_an_old_sdk_is_recognised(self, rec: Recorder) -> None:
        made = spans(
            span(**{GENERATION: "span", USAGE: "{}"}),
            scope="langfuse-sdk",
            resource={"telemetry.sdk.language": "python"},
        )
        for version, expected in (("3.3.0", "GENERATION"), ("3.4.0", "SPAN")):
            made["resourceSpans"][0]["scopeSpans"][0]["scope"]["version"] = version
            call(rec, OTEL, made)
            assert rec.observations()[0].type == expected

    @pytest.mark.parametrize("kind", ["generation", "embedding", "tool", "agent", "retriever"])
    def test_the_sdk_says_its_own(self, rec: Recorder, sdk: Langfuse, kind: Any) -> None:
        sdk.start_observation(name="x", as_type=kind).end()
        sdk.flush()
        assert [o.type for o in rec.observations()] == [kind.upper()]


class TestFields:
    def test_an_error_is_a_level(self, rec: Recorder) -> None:
        send(rec, span() | {"status": {"code": 2, "message": "boom"}})
        assert [(o.level, o.status_message) for o in rec.observations()] == [("ERROR", "boom")]

    def test_an_unknown_level_drops_the_observation(self, rec: Recorder) -> None:
        send(rec, span(**{"langfuse.observation.level": "LOUD"}))
        assert (rec.observations(), kinds(rec)) == ([], ["dropped"])

    @pytest.mark.parametrize("tags", [["b", "a"], '["b", "a"]', "b, a"])
    def test_tags_as_list_as_json_and_with_commas(self, rec: Recorder, tags: Any) -> None:
        assert observed(rec, **{"langfuse.trace.tags": tags}).tags == ("b", "a")
        assert rec.traces()[0].tags == ("a", "b")

    def test_environment_from_span_then_resource(self, rec: Recorder) -> None:
        send(rec, span(), resource={"deployment.environment": "staging"})
        send(
            rec,
            span(2, **{"langfuse.environment": "prod"}),
            resource={"deployment.environment": "staging"},
        )
        assert [o.environment for o in rec.observations()] == ["staging", "prod"]
        assert rec.problems() == []

    @pytest.mark.parametrize(
        ("given", "kept"),
        [("Prod", "prod"), ("langfuse-x", "x"), ("a b", "default"), ("x" * 50, "x" * 40)],
    )
    def test_an_environment_is_made_to_fit(self, rec: Recorder, given: str, kept: str) -> None:
        assert observed(rec, **{"langfuse.environment": given}).environment == kept
        assert kinds(rec) == ["value"]

    @pytest.mark.parametrize(
        ("key", "field"), [("user.id", "user_id"), ("session.id", "session_id")]
    )
    def test_ids_over_200_characters_are_lost(self, rec: Recorder, key: str, field: str) -> None:
        assert getattr(observed(rec, **{key: "x" * 200}), field) == "x" * 200
        assert rec.problems() == []
        assert getattr(observed(rec, **{key: "x" * 201}), field) is None
        assert getattr(rec.traces()[0], field) is None
        assert kinds(rec) == ["value"]

    def test_metadata_scope_and_service(self, rec: Recorder) -> None:
        made = span(
            **{"langfuse.observation.metadata.a": "1", "langfuse.trace.metadata": '{"b":2}'}
        )
        send(rec, made, scope="the.scope", resource={"service.name": "shop"})
        (observation,) = rec.observations()
        assert (observation.scope, observation.service) == ("the.scope", "shop")
        assert observation.metadata["a"] == "1"
        assert observation.metadata["b"] == 2
        assert observation.metadata["resourceAttributes"] == {"service.name": "shop"}

    @pytest.mark.parametrize(
        ("attributes", "expected"),
        [
            ({"langfuse.observation.input": '{"q": 1}'}, ({"q": 1}, None)),
            ({"input.value": "in", "output.value": "out"}, ("in", "out")),
            ({"gen_ai.prompt.0.content": "in"}, ({"gen_ai.prompt.0.content": "in"}, None)),
            ({"gen_ai.output.messages": '["out"]'}, (None, ["out"])),
            ({"langfuse.observation.output": "a", "output.value": "b"}, (None, "a")),
        ],
    )
    def test_input_and_output(
        self, rec: Recorder, attributes: dict[str, Any], expected: tuple[Any, Any]
    ) -> None:
        observation = observed(rec, **attributes)
        assert (observation.input, observation.output) == expected

    def test_messages_from_events(self, rec: Recorder) -> None:
        names = ("gen_ai.user.message", "gen_ai.choice", "other")
        events = [{"name": n, "attributes": pairs({"content": n})} for n in names]
        send(rec, span() | {"events": events})
        (observation,) = rec.observations()
        assert observation.input == [{"role": "user", "content": "gen_ai.user.message"}]
        assert observation.output == {"content": "gen_ai.choice"}


class TestPromptLinks:
    def linked(self, rec: Recorder, **attributes: Any) -> list[tuple[Any, Any]]:
        rec.clear()
        send(rec, span(**{GENERATION: "generation", PROMPT: "p"} | attributes))
        return [(o.prompt_name, o.prompt_version) for o in rec.observations()]

    def test_a_generation_with_an_existing_version_links(self, rec: Recorder) -> None:
        rec.add_prompt("p", "text")
        assert self.linked(rec, **{VERSION: 1}) == [("p", 1)]
        assert rec.problems() == []

    @pytest.mark.parametrize(("name", "version"), [("p", 2), ("q", 1), ("p", -1)])
    def test_an_unknown_one_does_not(self, rec: Recorder, name: str, version: int) -> None:
        rec.add_prompt("p", "text")
        assert self.linked(rec, **{PROMPT: name, VERSION: version}) == [(None, None)]
        assert kinds(rec) == ["prompt"]

    @pytest.mark.parametrize("kind", ["span", "event", "agent", "tool", "embedding"])
    def test_no_other_type_links(self, rec: Recorder, kind: str) -> None:
        rec.add_prompt("p", "text")
        assert self.linked(rec, **{GENERATION: kind, VERSION: 1}) == [(None, None)]
        assert kinds(rec) == ["prompt-type"]

    @pytest.mark.parametrize("version", [{VERSION: "1"}, {VERSION: 0}, {VERSION: 1.0}, {}])
    def test_a_malformed_version_drops_the_generation(
        self, rec: Recorder, version: dict[str, Any]
    ) -> None:
        rec.add_prompt("p", "text")
        assert self.linked(rec, **version) == []
        assert kinds(rec) == ["dropped"]

    def test_a_malformed_version_on_a_span_is_only_lost(self, rec: Recorder) -> None:
        assert self.linked(rec, **{GENERATION: "span", VERSION: "1"}) == [(None, None)]
        assert kinds(rec) == ["prompt-type"]

    def test_the_sdk_links_and_its_ambient_prompt_reaches_spans_in_vain(
        self, rec: Recorder, sdk: Langfuse
    ) -> None:
        rec.add_prompt("p", "text", labels=["production"])
        prompt = sdk.get_prompt("p")
        with propagate_attributes(prompt=prompt), sdk.start_as_current_observation(name="root"):
            sdk.start_observation(name="call", as_type="generation").end()
        sdk.flush()
        assert {o.name: o.prompt_version for o in rec.observations()} == {"root": None, "call": 1}
        assert [(p.kind, p.name) for p in rec.problems()] == [("prompt-type", "root")]


class TestCounting:
    def test_what_is_given_is_taken(self, rec: Recorder) -> None:
        given = {USAGE: '{"input": 3, "output": 4}', COST: '{"total": 0.5}'}
        observation = observed(rec, **given, **{"gen_ai.request.model": "m"})
        assert observation.usage == {"input": 3, "output": 4, "total": 7}
        assert (observation.cost, observation.estimated) == (0.5, False)

    def test_spans_count_too(self, rec: Recorder) -> None:
        observation = observed(
            rec, **{GENERATION: "span", USAGE: '{"input": 3}', COST: '{"total": 1}'}
        )
        assert (observation.usage["total"], observation.cost) == (3, 1)

    def test_usage_alone_is_priced(self) -> None:
        with Recorder(prices={"dear": {"input": 1.0, "output": 10.0}}) as rec:
            usage = {USAGE: '{"input": 2, "output": 1, "other": 9}'}
            assert observed(rec, **usage, **{"llm.model_name": "dear"}).cost == 12
            assert observed(rec, **usage, **{"llm.model_name": "m"}).cost == pytest.approx(4e-6)
            assert observed(rec, **usage).cost == 0

    def test_neither_is_tokenised_and_priced(self, rec: Recorder) -> None:
        texts = {"langfuse.observation.input": "x" * 40, "langfuse.observation.output": "y" * 9}
        observation = observed(rec, **texts, **{"gen_ai.request.model": "m"})
        assert observation.usage == {"input": 10, "output": 3, "total": 13}
        assert observation.estimated
        assert observation.cost == pytest.approx(16e-6)

    def test_zeroes_are_not_tokenised(self, rec: Recorder) -> None:
        zero = {USAGE: '{"input": 0, "output": 0}', COST: '{"total": 0}'}
        observation = observed(rec, **zero, **{"gen_ai.request.model": "m", "input": "x" * 40})
        assert (observation.usage["total"], observation.cost) == (0, 0)
        assert not observation.estimated

    def test_a_cost_of_zero_beats_the_price(self, rec: Recorder) -> None:
        given = {USAGE: '{"input": 10}', COST: '{"total": 0}', "gen_ai.request.model": "m"}
        assert observed(rec, **given).cost == 0

    def test_a_cost_without_usage_is_still_tokenised(self, rec: Recorder) -> None:
        given = {COST: '{"total": 0.5}', "gen_ai.request.model": "m", "input": "x" * 40}
        observation = observed(rec, **given)
        assert (observation.cost, observation.usage["input"]) == (0.5, 10)

    def test_no_model_or_an_error_is_not_tokenised(self, rec: Recorder) -> None:
        assert observed(rec, **{GENERATION: "generation", "input": "x" * 40}).usage == {}
        failed = {"langfuse.observation.level": "ERROR", "gen_ai.request.model": "m"}
        assert observed(rec, **failed, input="x" * 40).usage == {}

    def test_costs_by_kind_need_a_total(self, rec: Recorder) -> None:
        assert observed(rec, **{COST: '{"input": 1, "output": 2}'}).cost == 3
        assert observed(rec, **{COST: '{"input": 1, "cached": 2}'}).cost == 0
        assert kinds(rec) == ["cost"]

    @pytest.mark.parametrize(
        "given", [{USAGE: '{"input": -1}'}, {USAGE: '{"input": "3"}'}, {COST: '{"total": "1"}'}]
    )
    def test_malformed_numbers_drop_the_observation(
        self, rec: Recorder, given: dict[str, Any]
    ) -> None:
        send(rec, span(**given, **{GENERATION: "generation"}))
        assert (rec.observations(), kinds(rec)) == ([], ["dropped"])

    def test_semantic_conventions_count(self, rec: Recorder) -> None:
        given = {"gen_ai.usage.input_tokens": 3, "gen_ai.usage.completion_tokens": 4}
        observation = observed(rec, **given, **{"gen_ai.usage.cost": 0.25})
        assert (observation.usage, observation.cost) == (
            {"input": 3, "output": 4, "total": 7},
            0.25,
        )
        counts = {"llm.token_count.prompt": 5, "llm.token_count.completion": 6}
        assert observed(rec, **counts).usage == {"input": 5, "output": 6, "total": 11}

    def test_details_of_openai_are_taken_off_the_plain_counts(self) -> None:
        plain = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        given = plain | {"prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": None}}
        expected = {"input": 6, "input_cached_tokens": 4, "output": 5, "total": 15}
        assert usage_details(given) == expected

    def test_nested_generations_are_counted_twice(self, rec: Recorder) -> None:
        usage = {GENERATION: "generation", USAGE: '{"input": 10}', COST: '{"total": 0.1}'}
        send(rec, span(1), span(2, 1, **usage), span(3, 2, **usage))
        (trace,) = rec.traces()
        assert trace.usage == {"input": 20, "total": 20}
        assert trace.cost == pytest.approx(0.2)

    def test_cost_by_user_counts_only_who_carries_the_id(self, rec: Recorder) -> None:
        owner = {"user.id": "u", "session.id": "s"}
        send(
            rec,
            span(1, **owner),
            span(2, 1, **{COST: '{"total": 1}'}),
            span(3, 1, **owner, **{COST: '{"total": 2}'}),
        )
        assert rec.traces()[0].cost == 3
        assert (rec.cost_by_user(), rec.cost_by_session()) == ({"u": 2}, {"s": 2})


class TestTraces:
    def test_structure(self, rec: Recorder) -> None:
        send(rec, span(3, 1), span(2, 1), span(1, 9))
        (trace,) = rec.traces()
        one, two, three = trace.observations
        assert (trace.roots(), trace.children(one.id)) == ((one,), (two, three))
        assert [line.lstrip().split()[0] for line in trace.tree().splitlines()] == [
            "trace",
            *["SPAN"] * 3,
        ]
        assert rec.trace(TRACE) == trace
        assert rec.trace("other") is None

    def test_the_root_names_the_trace_unless_told_otherwise(self, rec: Recorder) -> None:
        send(rec, span(2, 1), span(1, **{"langfuse.observation.input": "in"}))
        assert [(t.name, t.input) for t in rec.traces()] == [("span 1", "in")]
        send(rec, span(3, 1, **{"langfuse.trace.name": "told"}))
        assert rec.traces()[0].name == "told"

    def test_without_a_root_a_trace_has_no_name(self, rec: Recorder) -> None:
        send(rec, span(2, 1))
        assert rec.traces()[0].name is None

    def test_the_latest_starting_write_wins_in_any_order(self, rec: Recorder) -> None:
        late = span(3, 1, **{"langfuse.trace.output": "late", "user.id": "v"})
        early = span(2, 1, **{"langfuse.trace.output": "early", "session.id": "s"})
        send(rec, late, early)
        (trace,) = rec.traces()
        assert (trace.output, trace.user_id, trace.session_id) == ("late", "v", "s")

    def test_the_same_span_again_replaces_the_first(self, rec: Recorder) -> None:
        send(rec, span(1, **{"langfuse.observation.level": "LOUD"}))
        send(rec, span(1))
        assert (len(rec.observations()), rec.problems()) == (1, [])

    def test_a_refused_span_leaves_the_one_before(self, rec: Recorder) -> None:
        send(rec, span(1))
        send(rec, span(1, **{"langfuse.observation.level": "LOUD"}))
        assert (len(rec.observations()), kinds(rec)) == (1, ["dropped"])

    def test_the_environment_stays_that_of_the_first_to_arrive(self, rec: Recorder) -> None:
        send(rec, span(2, 1, **{"langfuse.environment": "first"}), span(1))
        assert [t.environment for t in rec.traces()] == ["first"]


class TestPrompts:
    def test_chat_with_a_placeholder(self, rec: Recorder, sdk: Langfuse) -> None:
        version = rec.add_prompt("chat", MESSAGES, config={"temperature": 0}, labels=["production"])
        prompt = sdk.get_prompt("chat", type="chat")
        assert (prompt.version, prompt.config) == (version, {"temperature": 0})
        filled = prompt.compile(name="Ada", past=[{"role": "user", "content": "yo"}])
        assert [message.get("content") for message in filled] == ["Hi Ada", "yo"]

    def test_the_sdk_creates_versions_and_labels_move(self, rec: Recorder, sdk: Langfuse) -> None:
        for text in ("one", "two"):
            made = sdk.create_prompt(
                name="folder/text",
                prompt=text,
                labels=["production"],
                tags=["t"],
                commit_message=text,
            )
        assert (made.version, made.commit_message, made.tags) == (2, "two", ["t"])
        assert sdk.get_prompt("folder/text").prompt == "two"
        assert sdk.get_prompt("folder/text", version=1).labels == []
        assert sdk.get_prompt("folder/text", label="latest").version == 2
        (meta,) = sdk.api.prompts.list(name="folder/text").data
        assert (meta.versions, meta.labels) == ([1, 2], ["latest", "production"])

    def test_what_is_missing_is_404(self, rec: Recorder, sdk: Langfuse) -> None:
        rec.add_prompt("p", "text")
        with pytest.raises(NotFoundError, match="with label 'production'"):
            sdk.api.prompts.get("p")
        with pytest.raises(NotFoundError, match="Prompt not found: 'p' with version 2"):
            sdk.api.prompts.get("p", version=2)
        assert sdk.api.prompts.get("p", label="latest").version == 1

    @pytest.mark.parametrize(
        "body", [{}, {"name": "p", "prompt": []}, {"name": "p", "type": "chat", "prompt": "x"}]
    )
    def test_what_is_no_prompt_is_400(self, rec: Recorder, body: dict[str, Any]) -> None:
        assert call(rec, "/api/public/v2/prompts", body)[0] == 400

    def test_a_prompt_keeps_its_type(self, rec: Recorder) -> None:
        rec.add_prompt("p", "text")
        body = {"name": "p", "type": "chat", "prompt": MESSAGES}
        assert call(rec, "/api/public/v2/prompts", body)[0] == 400


class TestIngestion:
    def test_create_and_update_become_one_generation(self, rec: Recorder) -> None:
        rec.add_prompt("p", "text")
        first = {"id": "g", "traceId": "t", "name": "call", "model": "m", "environment": "prod"}
        later = {"id": "g", "endTime": "2026-01-01T00:01:00Z", "output": "out", "name": None}
        usage = {"usage": {"promptTokens": 3, "completionTokens": 4, "totalTokens": 7}}
        answer = ingest(
            rec,
            event("generation-update", later | usage | {"costDetails": {"total": 0.5}}, 3),
            event("generation-create", first | {"promptName": "p", "promptVersion": 1}, 2),
            event("trace-create", {"id": "t", "name": "T", "userId": "u", "tags": ["x"]}),
        )
        assert answer["errors"] == []
        assert {success["status"] for success in answer["successes"]} == {201}
        (o,) = rec.observations()
        assert (o.type, o.name, o.output, o.environment) == ("GENERATION", "call", "out", "prod")
        assert (o.usage, o.cost) == ({"input": 3, "output": 4, "total": 7}, 0.5)
        assert (o.prompt_name, o.prompt_version) == ("p", 1)
        assert [(t.id, t.name, t.tags) for t in rec.traces()] == [("t", "T", ("x",))]
        assert rec.problems() == []

    def test_an_update_moves_nothing(self, rec: Recorder) -> None:
        first = {"id": "s", "traceId": "t", "environment": "a", "startTime": "2026-01-01T00:00:00Z"}
        later = {"id": "s", "traceId": "x", "environment": "b", "startTime": "2027-01-01T00:00:00Z"}
        ingest(rec, event("span-create", first), event("span-update", later, 2))
        assert [(o.trace_id, o.environment, o.start.year) for o in rec.observations()] == [
            ("t", "a", 2026)
        ]

    def test_observations_take_their_traces_user(self, rec: Recorder) -> None:
        body = {"id": "g", "traceId": "t", "costDetails": {"total": 1}}
        ingest(rec, event("generation-create", body))
        assert rec.cost_by_user() == {}
        ingest(rec, event("trace-create", {"id": "t", "userId": "u", "sessionId": "s"}))
        assert (rec.cost_by_user(), rec.cost_by_session()) == ({"u": 1}, {"s": 1})

    def test_spans_keep_neither_prompt_nor_usage(self, rec: Recorder) -> None:
        rec.add_prompt("p", "text")
        body = {"id": "s", "traceId": "t", "usageDetails": {"input": 3}, "model": "m", "input": "x"}
        ingest(rec, event("span-create", body | {"promptName": "p", "promptVersion": 1}))
        (o,) = rec.observations()
        assert (o.type, o.usage, o.model, o.prompt_name) == ("SPAN", {}, None, None)
        assert kinds(rec) == ["prompt-type"]

    @pytest.mark.parametrize(
        "body",
        [
            {"promptName": "p"},
            {"promptName": "p", "promptVersion": "1"},
            {"level": "LOUD"},
            {"startTime": "yesterday"},
            {"startTime": "2026-01-01T00:00:00"},
            {"usageDetails": {"input": -1}},
            {"costDetails": {"total": "1"}},
        ],
    )
    def test_what_the_schema_refuses_is_named(self, rec: Recorder, body: dict[str, Any]) -> None:
        good = event("span-create", {"id": "s", "traceId": "t"}, 2)
        bad = event("generation-create", {"id": "g", "traceId": "t"} | body)
        answer = ingest(rec, bad, good)
        assert [(e["id"], e["status"]) for e in answer["errors"]] == [(bad["id"], 400)]
        assert answer["successes"] == [{"id": good["id"], "status": 201}]
        assert [o.id for o in rec.observations()] == ["s"]
        assert kinds(rec) == ["dropped"]

    @pytest.mark.parametrize(
        "bad",
        [
            {"type": "span-create"},
            event("span-create", {}) | {"timestamp": "now"},
            event("nonsense", {"id": "x"}),
            event("trace-create", {"id": "t", "name": "x" * 1001}),
        ],
    )
    def test_what_is_no_event_is_refused(self, rec: Recorder, bad: dict[str, Any]) -> None:
        assert [e["status"] for e in ingest(rec, bad)["errors"]] == [400]
        assert (rec.traces(), kinds(rec)) == ([], ["dropped"])

    def test_logs_are_not_even_counted_and_scores_are_only_taken(self, rec: Recorder) -> None:
        answer = ingest(rec, event("sdk-log", {"log": "x"}), event("score-create", {"name": "s"}))
        assert answer == {
            "successes": [{"id": "event-score-create-1", "status": 201}],
            "errors": [],
        }
        assert (rec.traces(), rec.problems()) == ([], [])

    def test_no_batch_is_400(self, rec: Recorder) -> None:
        assert call(rec, "/api/public/ingestion", {"events": []})[0] == 400
        assert kinds(rec) == ["dropped"]


class TestReading:
    def make(self, rec: Recorder, sdk: Langfuse) -> str:
        """A trace of the SDK's with a prompt, a user and a long value; its id."""
        rec.add_prompt("p", "text", labels=["production"])
        prompt = sdk.get_prompt("p")
        ambient = propagate_attributes(user_id="u", session_id="s", tags=["b", "a"], trace_name="T")
        with ambient, sdk.start_as_current_observation(name="root", input={"q": 1}) as root:
            with sdk.start_as_current_observation(
                name="call", as_type="generation", model="m", prompt=prompt, input="hello"
            ) as generation:
                usage, cost = {"input": 3, "output": 4}, {"total": 0.5}
                generation.update(output=["hey"], usage_details=usage, cost_details=cost)
            root.update(output="done", metadata={"long": "x" * 300})
        sdk.flush()
        return root.trace_id

    def test_the_sdks_api_reads_observations(self, rec: Recorder, sdk: Langfuse) -> None:
        trace_id = self.make(rec, sdk)
        groups = "core,basic,io,metadata,usage,prompt,trace_context,metrics,time,model"
        answer = sdk.api.observations.get_many(trace_id=trace_id, fields=groups)
        call, root = answer.data
        assert (call.name, call.type, call.parent_observation_id) == ("call", "GENERATION", root.id)
        assert (call.usage_details, call.total_cost) == ({"input": 3, "output": 4, "total": 7}, 0.5)
        assert (call.prompt_name, call.prompt_version, call.model) == ("p", 1, "m")
        assert (call.input, call.output, root.input) == ("hello", '["hey"]', '{"q": 1}')
        assert (root.is_root_observation, call.is_root_observation) == (True, False)
        assert (root.user_id, root.session_id, root.trace_name) == ("u", "s", "T")
        assert root.metadata is not None
        assert len(root.metadata["long"]) == 200

    def test_only_the_asked_fields_come(self, rec: Recorder, sdk: Langfuse) -> None:
        self.make(rec, sdk)
        (call, _) = sdk.api.observations.get_many().data
        assert (call.name, call.total_cost, call.input) == ("call", None, None)

    def test_pages_follow_the_cursor(self, rec: Recorder, sdk: Langfuse) -> None:
        send(rec, *(span(number) for number in range(1, 6)))
        seen: list[str] = []
        cursor = None
        for expected in (2, 2, 1):
            page = sdk.api.observations.get_many(limit=2, cursor=cursor)
            assert len(page.data) == expected
            seen += [str(o.name) for o in page.data]
            cursor = page.meta.cursor
        assert cursor is None
        assert seen == [f"span {number}" for number in (5, 4, 3, 2, 1)]

    @pytest.mark.parametrize("query", ["limit=1001", "parseIoAsJson=true", "fields=x", "cursor=x"])
    def test_bad_queries_are_400(self, rec: Recorder, query: str) -> None:
        assert call(rec, f"/api/public/v2/observations?{query}")[0] == 400

    def test_filters(self, rec: Recorder) -> None:
        send(rec, span(1), span(2, 1, **{GENERATION: "tool", "user.id": "u"}))
        for query in ("type=TOOL", "userId=u", f"parentObservationId={1:016x}", "name=span%202"):
            for path in ("/api/public/v2/observations", "/api/public/observations"):
                data = call(rec, f"{path}?traceId={TRACE}&{query}")[1]["data"]
                assert [row["name"] for row in data] == ["span 2"]

    def test_traces_are_listed_and_shown(self, rec: Recorder, sdk: Langfuse) -> None:
        trace_id = self.make(rec, sdk)
        listed = call(rec, "/api/public/traces?userId=u")[1]
        assert listed["meta"] == {"page": 1, "limit": 50, "totalItems": 1, "totalPages": 1}
        shown = call(rec, f"/api/public/traces/{trace_id}")[1]
        assert shown["name"] == listed["data"][0]["name"] == "T"
        assert (shown["totalCost"], shown["tags"]) == (0.5, ["a", "b"])
        assert {o["id"] for o in shown["observations"]} == set(listed["data"][0]["observations"])
        assert call(rec, "/api/public/traces?userId=v")[1]["data"] == []
        assert call(rec, "/api/public/traces/other")[0] == 404

    @pytest.mark.parametrize("absent", [(), ("v2/observations",), ("traces/",)])
    def test_the_reader_sees_what_the_recorder_has(
        self,
        rec: Recorder,
        sdk: Langfuse,
        monkeypatch: pytest.MonkeyPatch,
        absent: tuple[str, ...],
    ) -> None:
        """Also where the server lacks the newer, or the older, of its endpoints."""
        trace_id = self.make(rec, sdk)
        reader = LangfuseReader(rec.url, rec.public_key, rec.secret_key)
        get = reader._get

        def without(path: str, query: dict[str, str] | None = None) -> Any:
            return None if any(part in path for part in absent) else get(path, query)

        monkeypatch.setattr(reader, "_get", without)
        read, recorded = reader.trace(trace_id), rec.trace(trace_id)
        assert read is not None
        assert recorded is not None
        assert (read.name, read.tags, read.input, read.output, read.cost) == (
            *("T", ("a", "b"), {"q": 1}, "done"),
            0.5,
        )
        by_name = {o.name: o for o in recorded.observations}
        for o in read.observations:
            # The API gives milliseconds, and neither attributes nor, in its older form, tags.
            same = by_name[o.name]
            unread = {"start", "end", "attributes", "tags"}
            for field in {f.name for f in fields(o)} - unread:
                kept, shown = getattr(same, field), getattr(o, field)
                if field == "metadata":
                    kept, shown = kept["scope"], shown["scope"]
                assert (field, shown) == (field, kept)

    def test_the_reader_turns_pages(self, rec: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
        send(rec, *(span(number) for number in range(1, 6)))
        monkeypatch.setattr("rig.recorder.reader._LIMIT", 2)
        reader = LangfuseReader(rec.url, rec.public_key, rec.secret_key)
        trace = reader.wait_for_trace(TRACE, lambda t: len(t.observations) == 5, timeout=0)
        assert [o.name for o in trace.observations] == [f"span {n}" for n in range(1, 6)]
        rows = reader._older_rows({"traceId": TRACE, "limit": "2"})
        assert len(list(rows)) == 5

    def test_the_reader_gives_up(self, rec: Recorder) -> None:
        reader = LangfuseReader(rec.url, rec.public_key, rec.secret_key)
        with pytest.raises(TraceNotReadyError, match="no trace"):
            reader.wait_for_trace(TRACE, lambda _: True, timeout=0)
        send(rec, span())
        with pytest.raises(TraceNotReadyError, match="SPAN 'span 1'"):
            reader.wait_for_trace(TRACE, lambda _: False, timeout=0)

    def test_the_reader_says_when_keys_are_wrong(self, rec: Recorder) -> None:
        reader = LangfuseReader(rec.url, rec.public_key, "wrong")
        with pytest.raises(urllib.error.HTTPError) as caught:
            reader.trace(TRACE)
        caught.value.close()
        assert caught.value.code == 401
