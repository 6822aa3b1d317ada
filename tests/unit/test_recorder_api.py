"""Prompts and the older JSON ingestion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langfuse.api import NotFoundError

if TYPE_CHECKING:
    from langfuse import Langfuse

    from tracesplice_testing.recorder import Recorder


from unit.recorder_requests import MESSAGES, call, event, ingest, kinds


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
            {"usageDetails": [3]},
            {"costDetails": "1"},
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

    def test_what_is_no_count_is_left_out(self, rec: Recorder) -> None:
        """Also a cost below 0, and no failed call is tokenised: other than in spans."""
        counts = {"usageDetails": {"input": 2, "output": -1}, "costDetails": {"total": -1}}
        for more in (counts, {"model": "gpt-4o", "level": "ERROR", "input": "What?"}):
            ingest(rec, event("generation-create", {"id": "g", "traceId": "t"} | more))
            (o,) = rec.observations()
            assert (o.usage, o.cost) == ({"input": 2, "total": 2} if more is counts else {}, 0)
            rec.clear()

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
