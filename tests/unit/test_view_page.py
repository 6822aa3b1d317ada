"""Judged traces as a page, a picture and JSON."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from tracesplice_view import TITLES, Judged, as_json, html, summary, svg, trees
from unit.judged_traces import BARE, NOW, OWN, PROMPT, ROOT, WHO, gateway, made, traces

SPLIT = Judged(
    traces(
        ROOT,
        dataclasses.replace(OWN, usage={"total": 3}),
        gateway(parent=None, trace_id="t2", **BARE),
    )
)
UNIFIED = Judged(traces(ROOT, OWN, gateway()))


def parsed(page: str) -> ElementTree.Element:
    """The page's elements; each has to be closed, and each attribute quoted."""
    return ElementTree.fromstring(re.sub(r"<!doctype html>|<meta [^>]*>", "", page))


def texts(page: str, path: str) -> list[str]:
    return [" ".join("".join(each.itertext()).split()) for each in parsed(page).iterfind(path)]


def test_a_page_says_what_does_not_hold_and_what_to_type() -> None:
    page = html(SPLIT)
    assert texts(page, ".//p[@class='verdict bad']") == ["2 traces, not unified"]
    [first, *_] = texts(page, ".//li[@class='bad']")
    assert first == "✘ Does not hold: one trace: 2 traces, not 1"
    assert any("tracesplice.splice(client)" in each for each in texts(page, ".//pre"))
    assert "6 tokens" in "".join(texts(page, "body//p"))
    assert "counted 2 times" in texts(page, ".//p/b")


def test_a_page_says_that_all_holds() -> None:
    page = html(UNIFIED)
    assert texts(page, ".//p[@class='verdict good']") == ["1 trace, unified"]
    assert len(texts(page, ".//li[@class='good']")) == len(TITLES)
    assert "What to type" not in page


def test_an_embedding_is_a_call_too() -> None:
    own = made("embedding", "root", type="EMBEDDING", **WHO)
    theirs = gateway("reported", "embedding", type="EMBEDDING", usage={"total": 30}, **BARE)
    judged = Judged(traces(ROOT, OWN, gateway(), own, theirs))
    assert judged.wrong == {}
    assert judged.times_counted == 1
    shown = as_text(judged)
    assert "name-reported  gateway · embedding" in shown
    assert "more spans of the gateway" not in shown
    # Langfuse links prompts to generations alone.
    for page in (shown, html(judged)):
        assert "no prompt" not in page


def as_text(judged: Judged) -> str:
    console = Console(file=io.StringIO(), width=100, color_system=None, _environ={})
    with console.capture() as captured:
        for tree in trees(judged.run):
            console.print(tree)
    return captured.get()


@pytest.mark.parametrize("fields", [{"scope": "fastapi", "service": "litellm"}])
def test_a_span_of_the_gateways_web_framework_is_none(fields: dict[str, Any]) -> None:
    server = made("server", "own", **fields)
    judged = Judged(traces(ROOT, OWN, server, gateway(parent="server")))
    assert judged.wrong.keys() == {"j"}
    assert [each.id for each in judged.run.generations(app=False)] == ["gateway"]


def test_observations_are_nested_lists() -> None:
    root = parsed(html(UNIFIED))
    [tree] = root.iterfind(".//ul[@class='tree']")
    way = []
    while (item := tree.find("li")) is not None:
        way.append("".join(item.find("details/summary/b").itertext()))  # type: ignore[union-attr]
        if (inner := item.find("ul")) is None:
            break
        tree = inner
    assert way == ["name-root", "name-own", "name-gateway"]


def test_brothers_and_uncles_come_where_they_belong() -> None:
    observations = (
        ROOT,
        OWN,
        gateway(),
        made("next", "root"),
        made("second"),
        gateway("g2", "second"),
    )
    page = html(Judged(traces(*observations)))
    [tree] = parsed(page).iterfind(".//ul[@class='tree']")
    assert [len(item.findall("ul/li")) for item in tree.findall("li")] == [2, 1]
    assert [len(item.findall("ul/li")) for item in tree.findall("li/ul/li")] == [1, 0, 0]


def test_a_line_shows_what_is_known() -> None:
    later = NOW + timedelta(milliseconds=120)
    call = gateway(end=later, model="m-1", input="hi there", output={"text": "yes"})
    page = html(Judged(traces(ROOT, OWN, call)))
    line = texts(page, ".//details/summary")[2]
    for part in ("gateway", "generation", "120 ms", "3 tokens", "$0.500000", "greet v3", "user u"):
        assert part in line
    assert {"hi there", '{ "text": "yes" }'} <= set(texts(page, ".//details/pre"))
    assert "m-1" in texts(page, ".//details/dl/div/dd")
    assert "after 0 ms, 120 ms" in texts(page, ".//ol/li/span[@class='time']")


def test_several_runs_are_on_one_page() -> None:
    page = html({"before": SPLIT, "after": UNIFIED}, title="a & b")
    assert texts(page, ".//section/h2") == ["before", "after"]
    assert texts(page, ".//h1") == ["a & b"]
    assert [each.partition(" name")[0][:7] for each in texts(page, ".//section/h3")] == [
        "What to", "Trace 1", "Trace 2", "Trace 1"
    ]  # fmt: skip


@pytest.mark.parametrize("judged", [SPLIT, UNIFIED, Judged([])])
def test_a_page_loads_and_runs_nothing(judged: Judged) -> None:
    page = html(judged)
    assert "default-src 'none'" in page
    assert not re.search(r"<(script|link|img|iframe|object)|src=|href=|url\(|@import| on\w+=", page)


def test_a_picture_shows_trees_and_checks() -> None:
    picture = svg(SPLIT, title="a & b")
    ElementTree.fromstring(picture)
    shown = picture.replace("&#160;", " ")
    for part in ("name-gateway", "✘ one trace: 2 traces, not 1", "counted 2 times", "a &amp; b"):
        assert part in shown


def test_json_says_the_same() -> None:
    found: dict[str, Any] = json.loads(json.dumps(as_json(SPLIT)))
    assert found["unified"] is False
    assert found["checks"][0] == {"title": "one trace", "holds": False, "why": "2 traces, not 1"}
    assert "tracesplice.splice" in found["what_to_type"][0]
    assert (found["tokens"], found["times_counted"]) == (6, 2)
    [own, theirs] = found["traces"]
    assert [each["depth"] for each in own["observations"]] == [0, 1]
    assert own["observations"][1]["prompt_version"] == PROMPT["prompt_version"]
    assert theirs["observations"][0]["side"] == "gateway"
    assert all(each["holds"] for each in as_json(UNIFIED)["checks"])


def test_what_cannot_be_said_is_not_said_to_hold() -> None:
    read = Judged(traces(ROOT, OWN, gateway()), read_back=True)
    for judged, unknown in (
        (SPLIT, []),
        (read, ["h"]),
        (Judged(traces(ROOT, OWN)), list("bcdghij")),
        (UNIFIED, []),
    ):
        assert list(judged.unsaid) == unknown
        assert not {*judged.unsaid, *judged.wrong} & {*judged.holds}
        page, said = html(judged), [str(each) for each in summary(judged)]
        unsaid = ", ".join(TITLES[letter] for letter in unknown)
        noted = texts(page, ".//ul[@class='checks']/li[@class='note']")
        assert bool(noted) == bool(unknown)
        assert all(each.endswith(unsaid) for each in noted)
        assert [each.endswith(unsaid) for each in said if each.startswith("○")] == [True] * len(
            noted
        )
        assert [each["holds"] for each in as_json(judged)["checks"]].count(None) == len(unknown)


def test_a_prompt_that_stayed_behind_is_missing() -> None:
    assert SPLIT.wrong["c"] == (
        "'name-gateway' of the gateway has no prompt, "
        "'name-own' of the application has prompt 'greet' version 3"
    )
    linked = made("other", "root", **PROMPT)
    elsewhere = [ROOT, made("own", "root"), linked, gateway("g1", "other"), gateway(parent=None)]
    assert "c" not in Judged(traces(*elsewhere)).wrong
