"""Reading from a Langfuse that is busy, that is older, or that shows a thing twice."""

from __future__ import annotations

import json
import time
import urllib.error
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from faults.scripted import Reply, Scripted
from tracesplice_cli._http import Answer
from tracesplice_cli.doctor._probe import Call
from tracesplice_cli.doctor._read_back import read_back
from tracesplice_view import LangfuseReader, Trace, newest
from tracesplice_wire import Link
from unit.recorder_requests import TRACE, call, send, span
from unit.test_search import GATEWAY, ids, placed, reader_of, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracesplice_testing.recorder import Recorder

PROJECT = Reply(200, body=b'{"data": [{"id": "p", "name": "shop"}]}')
WHO: dict[str, Any] = {"user.id": "u", "session.id": "s"}


def busy(**headers: str) -> Reply:
    return Reply(429, tuple(headers.items()), b'{"message": "Rate limit exceeded"}')


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    server = Scripted()
    yield server
    server.stop()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    clock = SimpleNamespace(sleep=found.append, monotonic=time.monotonic)
    monkeypatch.setattr("tracesplice_view._reader.time", clock)
    return found


def test_it_waits_as_long_as_a_busy_server_says(scripted: Scripted, slept: list[float]) -> None:
    scripted.script([busy(**{"Retry-After": "7"}), busy(), PROJECT])
    told: list[float] = []
    reader = LangfuseReader(scripted.url, "pk", "sk", patience=20, waiting=told.append)
    assert reader.project() == "shop"
    assert slept == told == [7, 5]


@pytest.mark.parametrize("patience", [0, 10])
def test_its_patience_ends(scripted: Scripted, slept: list[float], patience: float) -> None:
    scripted.script([busy(**{"Retry-After": "7"})])
    with pytest.raises(urllib.error.HTTPError) as caught:
        LangfuseReader(scripted.url, "pk", "sk", patience=patience).project()
    assert caught.value.headers["Retry-After"] == "7"
    assert sum(slept) <= patience


def test_what_was_taken_away_is_not_there(scripted: Scripted) -> None:
    scripted.script([Reply(410, body=b"{}")])
    assert LangfuseReader(scripted.url, "pk", "sk").trace("ab" * 16) is None


def test_what_two_pages_show_is_there_once(scripted: Scripted) -> None:
    row = {"id": "a", "traceId": "t", "type": "SPAN", "startTime": "2026-01-01T00:00:00.000Z"}
    pages = [{"data": [row], "meta": {"totalPages": 2}}] * 2
    answers = [Reply(404, body=b"{}"), *(Reply(body=json.dumps(each).encode()) for each in pages)]
    scripted.script([*answers, Reply(404, body=b"{}")])
    trace = LangfuseReader(scripted.url, "pk", "sk").trace("t")
    assert trace is not None
    assert [each.id for each in trace.observations] == ["a"]


def test_what_is_no_number_counts_as_none(scripted: Scripted) -> None:
    used = {"input": None, "output": "2", "total": "many", "other": 1.0}
    trace = read(scripted, usageDetails=used, totalCost="0.25", metadata=["a", {"b": 1}])
    assert trace.usage == {"input": 0, "output": 2, "total": 0, "other": 1}
    assert trace.cost == 0.25
    assert trace.observations[0].metadata == {"metadata": ["a", {"b": 1}]}
    for cost in ("free", "nan", {"a": 1}, None):
        assert read(scripted, totalCost=cost, costDetails=None).cost == 0


def read(scripted: Scripted, **fields: Any) -> Trace:
    """A trace of one observation with these fields."""
    placed = {"id": "a", "traceId": "t", "type": "SPAN", "startTime": "2026-01-01T00:00:00.000Z"}
    page = {"data": [{**placed, **fields}], "meta": {}}
    scripted.script([Reply(body=json.dumps(page).encode()), Reply(404, body=b"{}")])
    trace = LangfuseReader(scripted.url, "pk", "sk").trace("t")
    assert trace is not None
    return trace


class Older(LangfuseReader):
    """Of a server without the newer endpoint."""

    def _get(self, path: str, query: Any = None) -> Any:
        return None if "/v2/" in path else super()._get(path, query)


def who(trace: Trace) -> list[tuple[str | None, str | None, tuple[str, ...]]]:
    return [(each.user_id, each.session_id, each.tags) for each in trace.observations]


def test_the_older_endpoint_says_no_user(rec: Recorder) -> None:
    send(rec, span(1, **WHO))
    [row] = call(rec, f"/api/public/observations?traceId={TRACE}")[1]["data"]
    assert not {"userId", "sessionId", "tags", "traceName"} & row.keys()


def test_there_the_user_is_the_traces(rec: Recorder) -> None:
    send(rec, span(1, **WHO, **{"langfuse.trace.tags": '["x"]'}), span(2, 1))
    reader = Older(rec.url, rec.public_key, rec.secret_key)
    before = reader.says_who
    trace = reader.trace(TRACE)
    assert trace is not None
    assert who(trace) == [("u", "s", ("x",))] * 2
    assert (before, reader.says_who) == (True, False)
    newer = reader_of(rec).trace(TRACE)
    assert newer is not None
    assert [user for user, _, _ in who(newer)] == ["u", None]


def test_the_newest_there(rec: Recorder) -> None:
    send(rec, told(1001, asks="one"), told(5001, asks="two"))
    send(rec, placed(2001, **WHO), **GATEWAY)
    reader = Older(rec.url, rec.public_key, rec.secret_key)
    found = newest(reader, 5)
    assert {user for group in found for trace in group for user, _, _ in who(trace)} == {"u", None}
    kept = newest(reader, 5, skip=lambda trace: trace.user_id == "u")
    assert "2" not in [id_ for group in kept for id_ in ids(group)]


def test_the_probe_asks_again_where_an_answer_is_cut(scripted: Scripted) -> None:
    scripted.script([Reply(body=b"{}" * 50, cut=-10), busy()])
    reader = LangfuseReader(scripted.url, "pk", "sk")
    probed = Call("header", Link(trace_id="ab" * 16), Answer(200, {}, b""))
    with pytest.raises(urllib.error.HTTPError):
        read_back(reader, [probed], 0.1, lambda *_: None)


def test_the_probe_says_that_nothing_could_be_read(scripted: Scripted) -> None:
    scripted.script([busy()])
    reader = LangfuseReader(scripted.url, "pk", "sk")
    probed = Call("header", Link(trace_id="ab" * 16), Answer(200, {}, b""))
    with pytest.raises(urllib.error.HTTPError):
        read_back(reader, [probed], 0, lambda *_: None)
