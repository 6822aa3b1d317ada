"""The link by hand, for clients that no adapter reaches."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from langfuse import propagate_attributes
from opentelemetry import trace

import tracesplice
from tracesplice import TracespliceError

if TYPE_CHECKING:
    from collections.abc import Iterator

AMBIENT = {"name": "ambient", "version": 2}
OWN = {"name": "own", "version": 3}
IDS = {"existing_trace_id": f"{10:032x}", "parent_observation_id": f"{11:016x}"}


@contextmanager
def span() -> Iterator[None]:
    place = trace.SpanContext(10, 11, is_remote=True, trace_flags=trace.TraceFlags(1))
    with trace.use_span(trace.NonRecordingSpan(place)):
        yield


def linked(name: str, version: int) -> dict[str, object]:
    return {"prompt": {"name": name, "version": version, "prompt": ""}}


def test_without_anything_to_link_both_are_empty() -> None:
    assert tracesplice.extra_body() == {}
    assert tracesplice.headers() == {}


def test_in_a_span_both_name_it() -> None:
    with span():
        assert tracesplice.extra_body() == {"litellm_metadata": IDS}
        assert tracesplice.headers() == {"traceparent": f"00-{10:032x}-{11:016x}-01"}


def test_the_ambient_values_are_in_the_body() -> None:
    with span(), propagate_attributes(prompt=AMBIENT, user_id="ann"):
        body = tracesplice.extra_body()
    update = {"trace_user_id": "ann", "update_trace_keys": ["trace_user_id"]}
    assert body == {"litellm_metadata": {**IDS, **linked("ambient", 2), **update}}
    assert json.loads(json.dumps(body)) == body


def test_a_prompt_can_be_given_without_a_span() -> None:
    assert tracesplice.extra_body(prompt=OWN) == {"litellm_metadata": linked("own", 3)}


def test_a_prompt_given_goes_before_the_ambient_one() -> None:
    with propagate_attributes(prompt=AMBIENT):
        assert tracesplice.extra_body(prompt=OWN) == {"litellm_metadata": linked("own", 3)}


def test_a_fallback_prompt_given_links_nothing_in_place_of_the_ambient_one() -> None:
    with propagate_attributes(prompt=AMBIENT):
        assert tracesplice.extra_body(prompt={**OWN, "is_fallback": True}) == {}


@pytest.mark.parametrize("wrong", ["own", "", {"name": "own", "version": "3"}])
def test_a_wrong_prompt_is_an_error(wrong: object) -> None:
    with pytest.raises(TracespliceError):
        tracesplice.extra_body(prompt=wrong)


def test_every_answer_is_new() -> None:
    with span():
        tracesplice.extra_body()["litellm_metadata"].clear()
        tracesplice.headers().clear()
        assert tracesplice.extra_body()
        assert tracesplice.headers()


@pytest.mark.usefixtures("lenient")
def test_a_fault_of_ours_leaves_the_call_without_a_link(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("tracesplice._by_hand.capture_link", broken)
    with span():
        assert tracesplice.headers() == {}
        assert tracesplice.extra_body(prompt=OWN) == {"litellm_metadata": linked("own", 3)}
    assert caplog.text.count("please report it") == 1
