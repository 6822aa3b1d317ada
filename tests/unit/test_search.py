"""Which traces are found to belong together, over the API of a recorder."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tracesplice_view import LangfuseReader, Trace, newest, whole
from unit.recorder_requests import GENERATION, USAGE, pairs, send, span

if TYPE_CHECKING:
    from tracesplice_testing.recorder import Recorder

GATEWAY: dict[str, Any] = {"scope": "litellm", "resource": {"service.name": "litellm"}}


def told(number: int, parent: int | None = None, *, asks: str = "", **more: Any) -> dict[str, Any]:
    """A generation of ten seconds in the trace of the number's thousands."""
    said = {
        GENERATION: "generation",
        USAGE: json.dumps({"input": 1, "output": 2}),
        "langfuse.observation.input": json.dumps([{"role": "user", "content": asks}]),
    }
    return {**placed(number, parent, **(said if asks else {})), **more}


def placed(number: int, parent: int | None = None, **attributes: Any) -> dict[str, Any]:
    made = span(number, parent, **attributes)
    return {
        **made,
        "traceId": trace_id(number),
        "endTimeUnixNano": str((number + 10) * 10**9),
    }


def trace_id(number: int) -> str:
    return f"{number // 1000:032x}"


def reader_of(rec: Recorder) -> LangfuseReader:
    return LangfuseReader(rec.url, rec.public_key, rec.secret_key)


def found(reader: LangfuseReader, number: int) -> list[str]:
    trace = reader.trace(trace_id(number))
    assert trace is not None
    return ids(whole(reader, trace))


def ids(traces: list[Trace]) -> list[str]:
    return [each.id.lstrip("0") for each in traces]


def at(number: int) -> dict[str, Any]:
    return {"startTimeUnixNano": str(number * 10**9), "endTimeUnixNano": str(number * 10**9 + 1)}


@pytest.mark.parametrize("number", [1000, 2000, 3000])
def test_from_either_side_the_whole_is_found(rec: Recorder, number: int) -> None:
    send(rec, placed(1000), told(1001, 1000, asks="one"), told(1002, 1000, asks="two"))
    send(
        rec,
        told(2000, asks="two", **at(1003)),
        told(3000, asks="one", **at(1004)),
        told(4000, asks="else", **at(1005)),
        **GATEWAY,
    )
    send(rec, told(5000, asks="one", **at(1001)))
    [first, *others] = found(reader_of(rec), number)
    assert first == "1"
    assert sorted(others) == ["2", "3"]


@pytest.mark.parametrize("number", [1000, 2000, 3000])
def test_a_failed_attempt_and_its_retry_lie_in_traces_of_their_own(
    rec: Recorder, number: int
) -> None:
    send(rec, told(3001, asks="one"))
    failed = told(1000, asks="one", **at(3002))
    failed["attributes"] += pairs({"langfuse.observation.level": "ERROR"})
    send(rec, failed, told(2000, asks="one", **at(3005)), **GATEWAY)
    assert found(reader_of(rec), number) == ["3", "1", "2"]


def test_what_is_whole_is_not_searched_for(rec: Recorder) -> None:
    send(rec, told(1001, asks="one"))
    send(rec, told(1002, 1001, asks="one"), **GATEWAY)
    reader = reader_of(rec)
    assert found(reader, 1000) == ["1"]
    assert rec.requests["GET /api/public/v2/observations"] == 1


def test_the_other_side_may_be_missing(rec: Recorder) -> None:
    send(rec, told(1001, asks="one"))
    send(rec, told(2001, asks="one"), **GATEWAY)
    reader = reader_of(rec)
    assert found(reader, 1000) == ["1"]
    assert found(reader, 2000) == ["2"]


def test_an_application_that_traces_no_calls(rec: Recorder) -> None:
    send(rec, placed(1000))
    send(rec, told(2000, asks="one", **at(1005)), told(3000, asks="one", **at(1011)), **GATEWAY)
    send(rec, told(4000, asks="else", **at(1001)))
    assert found(reader_of(rec), 1000) == ["1", "2"]


def test_embeddings_are_searched_for_where_there_are_some(rec: Recorder) -> None:
    embedding: dict[str, Any] = {GENERATION: "embedding", USAGE: '{"input": 3}'}
    send(rec, placed(1000, **embedding))
    send(rec, {**placed(2000, **embedding), **at(1005)}, **GATEWAY)
    assert found(reader_of(rec), 1000) == ["1", "2"]


def test_the_newest_are_read_as_a_whole_and_put_together(rec: Recorder) -> None:
    send(rec, placed(1000), *(told(1000 + n, 1000, asks=f"{n}") for n in range(1, 151)))
    send(rec, placed(7000), told(7001, 7000, asks="one"))
    send(rec, told(8000, asks="one", **at(7002)), **GATEWAY)
    groups = newest(reader_of(rec), 2)
    assert [ids(group) for group in groups] == [["7", "8"]]
    groups = newest(reader_of(rec), 3)
    assert [ids(group) for group in groups] == [["7", "8"], ["1"]]
    assert [len(each.observations) for each in groups[1]] == [151]
    assert newest(reader_of(rec), 1) == groups[:1]


def test_a_trace_that_is_older_than_what_is_looked_through_is_read_as_a_whole(
    rec: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(rec, placed(1000), *(told(1000 + n, 1000, asks=f"{n}") for n in range(1, 151)))
    monkeypatch.setattr("tracesplice_view._search._PAGES", 1)
    [[trace]] = newest(reader_of(rec), 1)
    assert len(trace.observations) == 151


def test_of_an_empty_project_there_is_nothing(rec: Recorder) -> None:
    assert newest(reader_of(rec), 5) == []


def test_observations_are_asked_for_by_their_start(rec: Recorder) -> None:
    send(rec, *(placed(number) for number in (1000, 2000, 3000)))
    since, until = (datetime.fromtimestamp(at, timezone.utc) for at in (2000, 3000))
    reader = reader_of(rec)
    assert [ids(traces) for traces in reader.newest(since=since)] == [["3", "2"]]
    assert [ids(traces) for traces in reader.newest(until=until)] == [["2", "1"]]
    assert [ids(traces) for traces in reader.newest(since=since, until=until)] == [["2"]]
    assert [ids(traces) for traces in reader.newest(kind="GENERATION")] == [[]]


def test_the_project_is_named(rec: Recorder) -> None:
    assert reader_of(rec).project() == rec.public_key


def test_what_is_of_another_call_is_left_to_it(rec: Recorder) -> None:
    """The same question, asked twice within seconds; the gateway reported one of the calls."""
    send(rec, told(1001, asks="one", **at(1001)))
    send(rec, told(2001, asks="one", **at(1003)))
    send(rec, told(3000, asks="one", **at(1003)), **GATEWAY)
    reader = reader_of(rec)
    assert found(reader, 1000) == ["1"]
    assert found(reader, 2000) == found(reader, 3000) == ["2", "3"]


def test_a_span_does_not_claim_what_is_of_another_call(rec: Recorder) -> None:
    send(rec, placed(1000))
    send(rec, told(2001, asks="one", **at(1005)))
    send(rec, told(3000, asks="one", **at(1005)), **GATEWAY)
    assert found(reader_of(rec), 1000) == ["1"]
