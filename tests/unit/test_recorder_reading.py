"""Reading back over the public API."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
from langfuse import Langfuse, propagate_attributes

from tracesplice_view import LangfuseReader, TraceNotReadyError

if TYPE_CHECKING:
    from tracesplice_testing.recorder import Recorder


from unit.recorder_requests import GENERATION, TRACE, call, send, span


class TestReading:
    def make(self, rec: Recorder, sdk: Langfuse) -> str:
        """A trace of the SDK's with a prompt, a user and a long value; its id."""
        rec.add_prompt("p", "text", labels=["production"])
        prompt = sdk.get_prompt("p")
        ambient = propagate_attributes(user_id="u", session_id="s", tags=["a", "b"], trace_name="T")
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

    @pytest.mark.parametrize("query", ["limit=1001", "parseIoAsJson=true", "cursor=x"])
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
        monkeypatch.setattr("tracesplice_view._reader._LIMIT", 2)
        reader = LangfuseReader(rec.url, rec.public_key, rec.secret_key)
        trace = reader.wait_for_trace(TRACE, lambda t: len(t.observations) == 5, timeout=0)
        assert [o.name for o in trace.observations] == [f"span {n}" for n in range(1, 6)]
        pages = reader._older_pages({"traceId": TRACE, "limit": "2"})
        assert [len(page) for page in pages] == [2, 2, 1]

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
