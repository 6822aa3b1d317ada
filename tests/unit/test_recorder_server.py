"""The recorder's server: keys, waiting, and spans as they come in."""

from __future__ import annotations

import gzip
import json
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tracesplice_testing.recorder import Recorder, RecorderTimeout

if TYPE_CHECKING:
    from langfuse import Langfuse


from unit.recorder_requests import GENERATION, OTEL, PROMPT, TRACE, call, kinds, send, span, spans


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

    def test_ids_may_be_short_but_not_missing(self, rec: Recorder) -> None:
        send(rec, span() | {"spanId": "abc"})
        assert [o.id for o in rec.observations()] == ["abc"]
        assert call(rec, OTEL, spans(span() | {"spanId": None}))[0] == 400
        assert (len(rec.observations()), kinds(rec)) == (1, ["dropped"])

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
