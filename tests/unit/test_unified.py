"""What `assert_unified` says of traces, and where it waits."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tracesplice.testing import assert_unified
from tracesplice_view import is_of_gateway
from unit.judged_traces import BARE, OWN, PROMPT, ROOT, WHO, gateway, made, traces

if TYPE_CHECKING:
    from tracesplice_testing.recorder import Observation


def said(*observations: Observation, **options: Any) -> str:
    with pytest.raises(AssertionError) as failure:
        assert_unified(traces(*observations), **options)
    return str(failure.value)


@pytest.mark.parametrize(
    "observations",
    [
        (ROOT, OWN, gateway()),
        # Where the client is not traced, the call is the enclosing span's.
        (ROOT, gateway(parent="root")),
        # The prompt is the nearest one on the way to the root.
        (ROOT, OWN, made("inner", "own", **WHO), gateway(parent="inner")),
        (ROOT, OWN, made("embedding", "root", type="EMBEDDING", **WHO), gateway(),
         gateway("other", "embedding", **BARE)),
        # A call that failed may have reached nobody; one that was tried again has two.
        (ROOT, OWN, made("failed", "root", level="ERROR"), gateway()),
        (ROOT, OWN, gateway("first", level="ERROR", usage={}, cost=0.0), gateway("second")),
        # OpenInference shows methods of LlamaIndex's that make no call as calls.
        (ROOT, OWN, made("prepares", "root", name="OpenAILike._prepare_chat_with_tools"),
         made("w", "root", name="StreamingAgentChatResponse.write_response_to_history"), gateway()),
        # `langfuse.openai` writes what is in its `metadata=` as JSON.
        (ROOT, dataclasses.replace(OWN, user_id='"u"', session_id='"s"'), gateway()),
        # What is inside of what, by the gateway's server spans.
        (ROOT, OWN, gateway(tags=("t", "gateway's own"))),
    ],
)  # fmt: skip
def test_what_is_unified(observations: tuple[Observation, ...]) -> None:
    assert_unified(traces(*observations))
    assert_unified(traces(*observations)[0])


def test_two_traces_are_one_each_where_they_are_meant() -> None:
    other = [dataclasses.replace(each, trace_id="t2", id=f"{each.id}2") for each in (ROOT, OWN)]
    other[1] = dataclasses.replace(other[1], parent_id="root2")
    both = (ROOT, OWN, gateway(), *other, gateway("g2", "own2", trace_id="t2"))
    assert_unified(traces(*both), traces=2)
    text = said(*both)
    assert "(a) one trace: 2 traces, not 1" in text
    assert "assert_unified(..., traces=2)" in text
    assert "(b)" not in text


def test_a_call_without_a_link() -> None:
    text = said(ROOT, made("own", "root", usage={"total": 3}), gateway(parent=None, trace_id="t2"))
    assert text.startswith(
        "not unified: one trace, right parent, prompt on both sides, "
        "user, session and tags on the gateway generation, counted once\n"
    )
    assert "(b) right parent: 'name-gateway' of the gateway under nothing of the appli" in text
    assert "(g) counted once: the client counts more than once: 6 tokens" in text
    assert "(c) prompt on both sides: 'name-gateway' of the gateway has prompt 'greet'" in text
    assert "- client = tracesplice.splice(client)" in text
    assert "start_observation(...) has no call in it" in text
    assert "count_usage_once" not in text  # the rest follows from it
    assert "Trace 2" in text
    assert "└── name-gateway  gateway" in text


def test_a_generation_beside_the_calls_own() -> None:
    text = said(ROOT, OWN, gateway(parent="root", **BARE))
    assert "(b) right parent: nothing of the gateway under 'name-own'; it is under 'name-ro" in text
    assert "tracesplice.splice(model)" in text
    assert "start_as_current_observation(...): around the call" in text


def test_a_call_that_went_elsewhere() -> None:
    text = said(ROOT, OWN, made("direct", "root"), gateway())
    assert "nothing of the gateway under 'name-direct'" in text
    assert "base_url= and api_key= of the gateway" in text
    assert "start_as_current_observation" not in text  # it is one trace


@pytest.mark.parametrize(
    ("own", "theirs", "text", "advice"),
    [
        (
            PROMPT,
            BARE,
            "has no prompt, 'name-own' of the application has prompt 'greet'",
            "litellm.ad",
        ),
        (
            BARE,
            PROMPT,
            "has prompt 'greet' version 3, 'name-own' of the application has",
            "langfuse_p",
        ),
        (
            PROMPT,
            {**PROMPT, "prompt_version": 4},
            "version 4, 'name-own' of the application",
            "litellm.ad",
        ),
    ],
)
def test_a_prompt_on_one_side(
    own: dict[str, Any], theirs: dict[str, Any], text: str, advice: str
) -> None:
    found = said(ROOT, dataclasses.replace(OWN, **own), gateway(**theirs))
    assert text in found
    assert advice in found


def test_the_prompt_that_was_asked_for() -> None:
    prompt = SimpleNamespace(name="greet", version=3)
    assert_unified(traces(ROOT, OWN, gateway()), prompt=prompt)
    found = said(
        ROOT, dataclasses.replace(OWN, **BARE), gateway(**BARE), prompt=prompt
    )  # both sides agree
    assert "not linked to 'greet' version 3" in found
    assert "langfuse_prompt=prompt" in found


@pytest.mark.parametrize(
    ("lost", "text"),
    [
        ({"user_id": None}, "has user none, not 'u'\n"),
        ({"session_id": "other"}, "has session 'other', not 's'\n"),
        ({"tags": ()}, "has no tag 't'\n"),
        ({"user_id": None, "tags": ()}, "has user none, not 'u', no tag 't'\n"),
    ],
)
def test_user_session_and_tags(lost: dict[str, Any], text: str) -> None:
    found = said(ROOT, OWN, gateway(**lost))
    assert f"'name-gateway' of the gateway {text}" in found
    assert found.startswith("not unified: user, session and tags on the gateway generation\n")
    assert "tracesplice_litellm.adapter" in found


@pytest.mark.parametrize("claims", [{"usage": {"total": 1}}, {"cost": 0.1}, {"priced": True}])
def test_what_counts_twice(claims: dict[str, Any]) -> None:
    found = said(ROOT, dataclasses.replace(OWN, **claims), gateway())
    assert "Langfuse(mask_otel_spans=tracesplice.count_usage_once())" in found


def test_what_counts_nowhere() -> None:
    assert "counts nothing for ['name-gateway']" in said(ROOT, OWN, gateway(usage={}, cost=0.0))
    assert_unified(traces(ROOT, OWN, gateway(cost=0.0)))  # of a model without a price
    moderation = gateway("moderation", "root", usage={}, cost=0.0)
    assert_unified(traces(ROOT, OWN, gateway(), moderation))  # free, and the client says nothing
    alone = gateway("alone", "elsewhere", usage={}, cost=0.0)
    assert "counts nothing for ['name-alone']" in said(ROOT, OWN, gateway(), alone)


def test_the_environment() -> None:
    found = said(ROOT, OWN, gateway(environment="production"))
    assert "in other environments: 'name-gateway' in 'production', not in 'default'" in found


def test_what_else_the_gateway_reports() -> None:
    found = said(ROOT, OWN, gateway(), gateway("raw", type="SPAN", usage={}, cost=0.0))
    assert "(j) nothing else of the gateway's: in Langfuse, too: 'name-raw'" in found


@pytest.mark.parametrize(
    ("observations", "text", "advice"),
    [
        ((ROOT, OWN), "nothing of a gateway's arrived", "gateway_stand_in or litellm_gateway"),
        ((gateway(),), "nothing of the application's arrived", "langfuse_recorder among the argu"),
        ((), "nothing of the application's arrived", "langfuse_recorder among the argu"),
    ],
)
def test_one_side_alone(observations: tuple[Observation, ...], text: str, advice: str) -> None:
    found = said(*observations)
    assert text in found
    assert advice in found


def test_whose_an_observation_is() -> None:
    assert is_of_gateway(made("x", scope="litellm"))
    assert is_of_gateway(made("x", scope="langfuse-sdk", metadata={"litellm_call_id": "c"}))
    assert not is_of_gateway(made("x", scope="langfuse-sdk", metadata={"key": "litellm"}))
    assert is_of_gateway(made("x", scope="fastapi", service="litellm"))
    assert not is_of_gateway(made("x", scope="langfuse-sdk", service="litellm"))
