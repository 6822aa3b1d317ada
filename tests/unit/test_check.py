"""`tracesplice check`: what it prints, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from tracesplice_cli import command
from tracesplice_cli.doctor._probe import MARK
from unit.recorder_requests import COST, GENERATION, PROMPT, USAGE, VERSION, send
from unit.test_search import GATEWAY, at, placed, told, trace_id

if TYPE_CHECKING:
    from pathlib import Path

    from tracesplice_testing.recorder import Recorder

ZERO = '{"total": 0}'


def run(rec: Recorder, *args: str, **environment: str) -> Result:
    env = {**rec.env(), "COLUMNS": "80", **environment}
    return CliRunner().invoke(command, ["check", *args], env=env)


def parsed(rec: Recorder, *args: str) -> Any:
    return json.loads(run(rec, *args, "--json").stdout)


def zero(number: int, parent: int | None = None) -> dict[str, Any]:
    """A client's generation that leaves the counting to the gateway."""
    said = {"langfuse.observation.type": "generation", USAGE: '{"total": 0}', COST: '{"total": 0}'}
    return placed(number, parent, **said)


@pytest.fixture
def unified(rec: Recorder) -> Recorder:
    send(rec, placed(1000), zero(1001, 1000))
    send(rec, told(1002, 1001, asks="one"), **GATEWAY)
    return rec


@pytest.fixture
def split(rec: Recorder) -> Recorder:
    send(rec, placed(1000), told(1001, 1000, asks="one"))
    send(rec, told(2000, asks="one", **at(1002)), **GATEWAY)
    return rec


def test_what_is_unified(unified: Recorder) -> None:
    result = run(unified, trace_id(1000))
    assert result.exit_code == 0
    assert "1 trace, unified" in result.stdout
    assert "span 1001 → span 1002\n✔ one trace, right parent, prompt on both" in result.stdout
    assert "○ no user is named on either side: the cost counts for no user" in result.stdout
    assert "counted once" in result.stdout
    known, unknown = result.stdout.split("○ not known from a trace: ")
    assert "nothing priced by Langfuse itself" not in known
    assert unknown.startswith("nothing priced by Langfuse itself, same answer as")
    assert "What to type" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_the_newest_where_all_holds(unified: Recorder) -> None:
    result = run(unified, "--last", "10")
    assert result.exit_code == 0
    assert result.stdout.endswith("1 trace, 1 call: all holds\n")


def test_what_is_to_be_typed_is_on_one_line(split: Recorder) -> None:
    result = run(split, "--last", "10", COLUMNS="40")
    assert f"\n  tracesplice check {trace_id(1000)}\n" in result.stdout


def test_the_calls_of_the_doctor_are_left_out(unified: Recorder) -> None:
    send(unified, told(9001, asks="yes", name="probe"), **GATEWAY)
    assert parsed(unified, "--last", "10")["totals"]["traces"] == 2
    probe = placed(9002, 9001, **{"user.id": MARK})
    send(unified, probe, **GATEWAY)
    assert parsed(unified, "--last", "10")["totals"]["traces"] == 1


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_where_the_encoding_has_not_every_sign(split: Recorder, encoding: str) -> None:
    command = [sys.executable, "-m", "tracesplice", "check", trace_id(1000), "--wait", "0"]
    env = {**os.environ, **split.env(), "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    ended = subprocess.run(command, env=env, capture_output=True, encoding=encoding, timeout=120)
    assert ended.returncode == 1, ended.stderr
    assert "\nx one trace: split" in ended.stdout
    assert "span 1001 -> span 2000\n" in ended.stdout
    assert "What to type:" in ended.stdout
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("number", [1000, 2000])
def test_what_is_split_from_either_side(split: Recorder, number: int) -> None:
    result = run(split, trace_id(number))
    assert result.exit_code == 1
    assert "2 traces, not unified" in result.stdout
    text = " ".join(result.stdout.split())
    assert f"✘ one trace: split: 'span 1001' is in trace {trace_id(1000)}" in text
    assert f"'span 2000' of the gateway in trace {trace_id(2000)}; matched by their texts" in text
    assert "counted by 'span 1001' (3 tokens, $0) and by 'span 2000' (3 tokens, $0)" in text
    assert "client = tracesplice.splice(client)" in text
    assert f"Trace 1 is {trace_id(1000)}" in text


def test_for_machines(split: Recorder) -> None:
    found = parsed(split, trace_id(1000))
    checks = {each["title"]: each["holds"] for each in found["checks"]}
    assert checks["one trace"] is False
    assert checks["prompt on both sides"] is True
    assert checks["nothing priced by Langfuse itself"] is None
    [call] = found["calls"]
    assert (call["app"], call["gateway"]) == (f"{1001:016x}", [f"{2000:016x}"])
    assert call["matched_by"] == "their texts"
    assert call["wrong"].keys() == {"one trace", "right parent", "counted once"}
    assert found["counted_too_much"] == {"tokens": 3, "cost": 0.0}


@pytest.mark.parametrize(
    "page",
    [
        "{}/project/p/traces/{}?observation=abc",
        "{}/trace/{}",
        "{}/project/p/traces?peek={}",
        "{}/project/p/observations?peek=abc&traceId={}",
    ],
)
def test_the_address_of_a_traces_page(unified: Recorder, page: str) -> None:
    assert run(unified, page.format(unified.url, trace_id(1000))).exit_code == 0


def test_the_files(unified: Recorder, tmp_path: Path) -> None:
    page, picture = tmp_path / "new" / "page.html", tmp_path / "picture.svg"
    result = run(unified, trace_id(1000), "--html", str(page), "--svg", str(picture))
    assert result.exit_code == 0
    assert page.read_text().startswith("<!doctype html>")
    assert picture.read_text().startswith("<svg")
    assert f"Wrote {page}" in result.stdout
    refused = run(unified, trace_id(1000), "--html", str(picture / "page.html"))
    assert refused.exit_code == 2
    assert "cannot be written" in refused.stderr


def test_no_gateway_at_all(rec: Recorder) -> None:
    send(rec, placed(1000), told(1001, 1000, asks="one"))
    result = run(rec, trace_id(1000), "--wait", "0")
    assert result.exit_code == 1
    assert "span 1001 → nothing of the gateway\n" in result.stdout
    assert "✘ one trace: nothing of the gateway's for 'span 1001' was found" in result.stdout
    assert "○ the rest cannot be known without the other side" in result.stdout
    assert 'callbacks: ["langfuse_otel", "tracesplice_litellm.adapter"]' in result.stdout
    assert "gateway_stand_in" not in result.stdout


def test_no_application_at_all(rec: Recorder) -> None:
    send(rec, told(1001, asks="one"), **GATEWAY)
    result = run(rec, trace_id(1000), "--wait", "0")
    assert result.exit_code == 1
    assert "nothing of the application's → span 1001\n" in result.stdout
    assert "langfuse_recorder" not in result.stdout
    assert "tracesplice.splice(client)" in result.stdout
    assert "langfuse.flush()" not in result.stdout


def test_where_the_applications_side_was_not_sent(rec: Recorder) -> None:
    """The call has its link: what it is under is missing."""
    send(rec, told(1001, 1000, asks="one"), **GATEWAY)
    result = run(rec, trace_id(1000), "--wait", "0")
    assert result.exit_code == 1
    assert "its parent" in result.stdout
    assert "langfuse.flush()" in result.stdout
    assert "Masking error" in result.stdout
    assert "tracesplice.splice(client)" not in result.stdout


def test_a_trace_without_calls(rec: Recorder) -> None:
    send(rec, placed(1000))
    result = run(rec, trace_id(1000), "--wait", "0")
    assert result.exit_code == 1
    assert "✘ nothing of a gateway's arrived" in result.stdout


def test_a_trace_that_arrives_while_it_is_waited_for(rec: Recorder) -> None:
    now, looked = int(time.time()), "GET /api/public/v2/observations"
    here = {"traceId": "ab" * 16}

    def arrive() -> None:
        rec.wait_for(lambda _: rec.requests[looked] >= 1)
        send(rec, {**zero(now), **here})
        seen = rec.requests[looked]
        rec.wait_for(lambda _: rec.requests[looked] > seen)
        send(rec, {**told(now + 1, now, asks="one"), **here}, **GATEWAY)

    with ThreadPoolExecutor(1) as elsewhere:
        arrived = elsewhere.submit(arrive)
        result = run(rec, "ab" * 16, "--wait", "30")
        arrived.result()
    assert result.exit_code == 0, result.output
    assert "1 trace, unified" in result.stdout


def test_text_from_a_trace_moves_no_cursor(rec: Recorder) -> None:
    bad = "\x1b[2J\x1b]0;title\x07\u202e"
    named = {"name": f"evil{bad}", "traceId": trace_id(1000)}
    said: dict[str, Any] = {"user.id": bad, "langfuse.trace.name": bad}
    send(rec, {**placed(1000, **said), **named})
    send(rec, {**told(1001, 1000, asks=bad), "name": bad})
    send(rec, {**told(2000, asks=bad, **at(1002)), "name": bad}, **GATEWAY)
    for args in ([trace_id(1000)], ["--last", "5"]):
        result = run(rec, *args, FORCE_COLOR="1", TERM="xterm-256color")
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "evil" in result.stdout or "--last" in args
        for harmful in ("\x1b[2J", "\x1b]", "\x07", "\u202e"):
            assert harmful not in result.stdout


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[" * 700 + "]" * 700, '{"a":' * 300 + "1" + "}" * 300]
)
def test_a_text_that_is_nested_deep_is_text(rec: Recorder, tmp_path: Path, text: str) -> None:
    deep: dict[str, Any] = {"langfuse.observation.input": text, "langfuse.trace.metadata.m": text}
    send(rec, placed(1000, **deep), zero(1001, 1000))
    send(rec, told(1002, 1001, asks=text), **GATEWAY)
    page = str(tmp_path / "page.html")
    for args in ([trace_id(1000), "--html", page], [trace_id(1000), "--json"], ["--last", "5"]):
        assert run(rec, *args).exit_code == 0, args


def test_the_newest_in_a_table(split: Recorder) -> None:
    send(split, placed(3000), zero(3001, 3000))
    send(split, told(3002, 3001, asks="two"), **GATEWAY)
    send(split, placed(4000))
    result = run(split, "--last", "10")
    assert result.exit_code == 1
    assert max(map(len, result.stdout.splitlines())) <= 80
    text = " ".join(result.stdout.split())
    assert f"{trace_id(4000)} │ none │ no call through the gateway" in text
    assert f"{trace_id(3000)} │ 1 │ ✔ all holds" in text
    assert f"{trace_id(1000)} │ 1 │ ✘ split" in text
    assert "4 traces, 2 calls: 1 split, 1 counted twice Counted too much: 3 tokens, $0.0" in text
    assert f"tracesplice check {trace_id(1000)}" in text


def test_what_is_counted_twice_in_money(rec: Recorder) -> None:
    paid: dict[str, Any] = {COST: '{"total": 0.25}', "langfuse.observation.type": "generation"}
    send(rec, placed(1000, **paid))
    send(rec, placed(1001, 1000, **paid), **GATEWAY)
    found = parsed(rec, "--last", "1")
    assert found["totals"]["counted_too_much"] == {"tokens": 0, "cost": 0.25}
    assert found["totals"]["counted_twice"] == 1
    assert "$0.250000" in run(rec, "--last", "1").stdout


def test_a_prompt_on_one_side(rec: Recorder) -> None:
    rec.add_prompt("greet", "Hi", labels=["production"])
    linked: dict[str, Any] = {PROMPT: "greet", VERSION: 1, USAGE: ZERO, GENERATION: "generation"}
    send(rec, placed(1001, **linked))
    send(rec, told(1002, 1001, asks="one"), **GATEWAY)
    result = run(rec, trace_id(1000))
    assert result.exit_code == 1
    assert "✘ prompt on both sides: 'span 1002' of the gateway has no prompt" in result.stdout
    assert parsed(rec, "--last", "1")["totals"]["unlinked"] == 1


def test_of_an_empty_project(rec: Recorder) -> None:
    result = run(rec, "--last", "3")
    assert result.exit_code == 0
    assert "has no traces yet" in result.stdout


def test_the_host_is_read_as_langfuses_sdk_does(unified: Recorder) -> None:
    older = {"LANGFUSE_BASE_URL": "", "LANGFUSE_HOST": f"{unified.url}/"}
    assert run(unified, trace_id(1000), **older).exit_code == 0
    both = {"LANGFUSE_HOST": "http://127.0.0.1:9"}
    assert run(unified, trace_id(1000), **both).exit_code == 0
