"""`tracesplice check`: what it says where it cannot read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.scripted import Reply, Scripted, moved
from tracesplice_testing.model import ModelServer
from unit.recorder_requests import send
from unit.test_check import run
from unit.test_reader import PROJECT
from unit.test_search import placed, trace_id

if TYPE_CHECKING:
    from tracesplice_testing.recorder import Recorder


OTHER = "https://cloud.langfuse.com"


def refused(rec: Recorder, *args: str, **environment: str) -> str:
    result = run(rec, *args, **environment)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert rec.secret_key not in result.stderr
    return result.stderr


def test_wrong_keys(rec: Recorder) -> None:
    text = refused(rec, "abc", LANGFUSE_SECRET_KEY="sk-lf-wrong")
    assert "does not take the keys (HTTP 401)" in text
    assert "export LANGFUSE_SECRET_KEY=sk-lf-...\n" in text
    assert "sk-lf-wrong" not in text


@pytest.mark.parametrize("name", ["LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"])
def test_a_missing_key(rec: Recorder, name: str) -> None:
    text = refused(rec, "abc", **{name: ""})
    assert f"{name} is not set" in text
    assert text.count("export") == 1


def test_langfuse_down(rec: Recorder) -> None:
    text = refused(rec, "--last", "3", LANGFUSE_BASE_URL="http://127.0.0.1:9")
    assert "No answer from Langfuse at http://127.0.0.1:9: Connection refused.\n" in text
    assert "curl http://127.0.0.1:9/api/public/health" in text


def test_another_server(rec: Recorder) -> None:
    with ModelServer() as model:
        text = refused(rec, "abc", LANGFUSE_BASE_URL=model.url)
    assert "is not Langfuse" in text


@pytest.mark.parametrize("body", [b"\xff\xfe\xff", b"<html>", b"[]", b'{"data": 1}'])
def test_an_answer_that_is_not_langfuse_s(rec: Recorder, body: bytes) -> None:
    assert "is not Langfuse" in answered(rec, Reply(body=body))
    assert "is not Langfuse" in answered(rec, PROJECT, Reply(body=body))


def test_an_answer_that_is_nested_deep(rec: Recorder) -> None:
    deep = Reply(body=b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    assert "nested too deep" in answered(rec, PROJECT, deep)


def answered(rec: Recorder, *replies: Reply) -> str:
    """What it says where these are a server's answers."""
    server = Scripted()
    server.script([*replies])
    try:
        return refused(rec, "abc", "--wait", "0", LANGFUSE_BASE_URL=server.url)
    finally:
        server.stop()


def test_the_keys_are_not_taken_to_another_server(rec: Recorder) -> None:
    other, server = Scripted(), Scripted()
    server.script([moved(302, f"{other.url}/elsewhere?token=hidden")])
    try:
        text = refused(rec, "abc", LANGFUSE_BASE_URL=server.url)
    finally:
        other.stop()
        server.stop()
    assert f"to '{other.url}/elsewhere'" in text
    assert "export LANGFUSE_BASE_URL=https://..." in text
    assert not other.seen


def test_no_address(rec: Recorder) -> None:
    text = refused(rec, "abc", LANGFUSE_BASE_URL="", LANGFUSE_HOST="localhost:3000")
    assert "LANGFUSE_HOST is not the address of a server" in text


def test_no_such_trace(rec: Recorder) -> None:
    text = refused(rec, "../abc", "--wait", "0")
    assert "has no trace ../abc in the project" in text
    assert "tracesplice check ../abc --wait 60" in text
    assert "tracesplice check --last 10" in text


def test_a_page_elsewhere(rec: Recorder) -> None:
    text = refused(rec, f"{OTHER}/project/p/traces/abc")
    assert f"export LANGFUSE_BASE_URL={OTHER}\n" in text


def test_a_page_of_no_trace(rec: Recorder) -> None:
    assert "the address of no trace" in refused(rec, f"{rec.url}/project/p/traces")


def test_the_end_of_an_id(rec: Recorder) -> None:
    send(rec, placed(1000))
    text = refused(rec, trace_id(1000)[-8:], "--wait", "0")
    assert "- It is not a whole id: most have 32 characters, 0 to 9 and a to f, and" in text
    assert "this has 8.\n" in text
    assert "whole id" not in refused(rec, "ab" * 16, "--wait", "0")


def test_one_trace_or_the_newest(rec: Recorder) -> None:
    assert "not both" in refused(rec, "abc", "--last", "1")


@pytest.mark.parametrize("args", [(), ("",), ("abc", "--last", "1"), ("--last", "0")])
def test_what_is_not_asked_so(rec: Recorder, args: tuple[str, ...]) -> None:
    refused(rec, *args)
    refused(rec, "--last", "1", "--svg", "picture.svg")
