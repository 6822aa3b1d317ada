"""Which observations are one call, and what is said of each."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from tracesplice_view import Call, Judged, Observation
from unit.judged_traces import BARE, NOW, OWN, PROMPT, ROOT, WHO, gateway, made, traces

LATER = timedelta(milliseconds=100)
ASKED: dict[str, Any] = {"input": [{"role": "user", "content": "Who's there?\nMe"}]}
USED: dict[str, Any] = {"usage": {"total": 3}}


def lasting(observation: Observation, start: float, end: float) -> Observation:
    """The same from and to a time, in seconds."""
    first, last = (NOW + timedelta(seconds=each) for each in (start, end))
    return dataclasses.replace(observation, start=first, end=last)


def elsewhere(id_: str = "gateway", parent: str | None = None, **fields: Any) -> Observation:
    return gateway(id_, parent, **{"trace_id": f"of-{id_}", **fields})


def calls(*observations: Observation) -> list[Call]:
    return Judged(traces(*observations)).calls


def pairs(*observations: Observation) -> list[tuple[str | None, list[str]]]:
    found = calls(*observations)
    return [
        (call.own.id if call.own else None, [each.id for each in call.gateway]) for call in found
    ]


def test_a_call_that_is_joined() -> None:
    [call] = calls(ROOT, OWN, gateway())
    assert (call.own, call.gateway, call.shared) == (OWN, (gateway(),), None)
    assert not call.wrong
    assert not call.is_split
    assert not call.is_beside
    assert call.excess == (0, 0.0)


def test_a_split_call_is_found_by_its_text() -> None:
    mine, theirs = dataclasses.replace(OWN, **ASKED), elsewhere(input={"messages": ASKED["input"]})
    other = elsewhere("other", input={"messages": [{"role": "user", "content": "Nobody"}]})
    [call, alone] = calls(ROOT, mine, theirs, other)
    assert call.own == mine
    assert call.is_split
    assert call.shared == "their texts"
    assert call.wrong.keys() == {"a", "b"}
    assert call.wrong["a"] == (
        "split: 'name-own' is in trace t1, 'name-gateway' of the gateway in trace of-gateway; "
        "matched by their texts"
    )
    assert alone.own is None
    assert alone.wrong == {"a": "nothing of the application's for 'name-other' was found"}


@pytest.mark.parametrize(
    "told",
    [
        {"input": "Who's there?\nMe"},
        # OpenInference shows what a message is in Python, with its quotes and line breaks escaped.
        {"input": {"messages": [str({"text": "Who's there?\nMe"})]}},
        {"input": [{"role": "user", "content": [{"type": "text", "text": "Who's there?\nMe"}]}]},
    ],
)
def test_the_text_is_the_same_in_whatever_form(told: dict[str, Any]) -> None:
    [call] = calls(ROOT, dataclasses.replace(OWN, **told), elsewhere(**ASKED))
    assert call.shared == "their texts"


def test_of_calls_with_a_common_beginning_each_has_its_own() -> None:
    first = [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "One"}]
    second = [*first, {"role": "assistant", "content": "1"}, {"role": "user", "content": "Two"}]
    told = [
        lasting(made("a", "root", input=first, **USED), 0, 1),
        lasting(made("b", "root", input=second, **USED), 1, 2),
        lasting(elsewhere("for-b", input=second), 1.1, 1.9),
        lasting(elsewhere("for-a", input=first), 0.1, 0.9),
    ]
    assert pairs(ROOT, *told) == [("a", ["for-a"]), ("b", ["for-b"])]


def test_what_shares_a_beginning_alone_is_another_call() -> None:
    system = {"role": "system", "content": "Be kind"}
    mine = dataclasses.replace(OWN, input=[system, {"role": "user", "content": "One"}])
    theirs = elsewhere(input=[system, {"role": "user", "content": "Two"}])
    assert pairs(ROOT, mine, theirs) == [("own", []), (None, ["gateway"])]


def test_without_a_text_it_is_the_tokens_and_the_time() -> None:
    told = [
        lasting(made("a", "root", usage={"total": 3}), 0, 1),
        lasting(made("b", "root", usage={"total": 4}), 0, 1),
        lasting(elsewhere("for-b", usage={"total": 4}), 0.1, 0.9),
        lasting(elsewhere("for-a", usage={"total": 3}), 0.1, 0.9),
        lasting(elsewhere("late", usage={"total": 3}), 1.1, 1.2),
    ]
    found = pairs(ROOT, *told)
    assert found == [("a", ["for-a"]), ("b", ["for-b"]), (None, ["late"])]
    assert calls(ROOT, *told)[0].shared == "their tokens and time"


def test_the_answers_id_goes_before_the_text() -> None:
    ids = {"response_id": "chatcmpl-1234"}
    told = [
        dataclasses.replace(OWN, output={"raw": {"id": "chatcmpl-1234"}}, **ASKED),
        made("twin", "root", **ASKED),
        elsewhere("by-id", metadata=ids, **ASKED),
        elsewhere("by-text", **ASKED),
    ]
    assert pairs(ROOT, *told) == [("own", ["by-id"]), ("twin", ["by-text"])]


def test_what_took_place_at_another_time_is_another_call() -> None:
    mine, theirs = dataclasses.replace(OWN, **ASKED), elsewhere(**ASKED)
    assert len(pairs(ROOT, lasting(mine, 0, 1), lasting(theirs, 9, 10))) == 1  # by other clocks
    assert len(pairs(ROOT, lasting(mine, 0, 1), lasting(theirs, 19, 20))) == 2


def test_a_retried_call_has_both_attempts() -> None:
    failed = elsewhere("failed", level="ERROR", usage={}, cost=0.0, **ASKED)
    told = [dataclasses.replace(OWN, **ASKED), failed, elsewhere("second", **ASKED)]
    [(own, attempts)] = pairs(ROOT, *told)
    assert (own, {*attempts}) == ("own", {"failed", "second"})


def test_a_failed_call_on_both_sides() -> None:
    failed: dict[str, Any] = {"level": "ERROR", "usage": {}}
    told = [dataclasses.replace(OWN, **failed), elsewhere(cost=0.0, **failed)]
    assert pairs(ROOT, *told) == [("own", ["gateway"])]
    # It may have reached nobody.
    [call] = calls(ROOT, told[0])
    assert not call.wrong


def test_a_call_beside_the_applications() -> None:
    mine = dataclasses.replace(OWN, **ASKED)
    [call] = calls(ROOT, mine, gateway(parent="root", **ASKED))
    assert call.own == mine
    assert call.is_beside
    assert not call.is_split
    assert call.wrong.keys() == {"b"}
    assert "nothing of the gateway under 'name-own'; it is under 'name-root'" in call.wrong["b"]


def test_where_the_client_is_not_traced_the_call_is_the_spans() -> None:
    [call] = calls(ROOT, gateway(parent="root"))
    assert call.own == ROOT
    assert not call.wrong
    [split] = calls(ROOT, elsewhere())
    assert split.own == ROOT
    assert split.is_split
    assert "matched by time alone" in split.wrong["a"]


def test_no_gateway_at_all() -> None:
    [call] = calls(ROOT, OWN)
    assert call.wrong == {"a": "nothing of the gateway's for 'name-own' was found"}


def test_what_is_on_one_side_of_a_split_call_is_said_too() -> None:
    theirs = elsewhere(user_id=None, environment="production", **BARE, **ASKED)
    [call] = calls(ROOT, dataclasses.replace(OWN, **ASKED), theirs)
    assert call.wrong.keys() == {"a", "b", "c", "d", "i"}
    assert (
        "has no prompt, 'name-own' of the application has prompt 'greet' version 3"
        in call.wrong["c"]
    )
    assert "has user none, not 'u'" in call.wrong["d"]
    assert "'name-gateway' in 'production', not in 'default'" in call.wrong["i"]


def test_what_is_counted_twice_is_said_with_both_that_count_it() -> None:
    mine = dataclasses.replace(OWN, usage={"total": 3}, cost=0.25)
    [call] = calls(ROOT, mine, gateway())
    assert call.wrong == {
        "g": "counted by 'name-own' (3 tokens, $0.25) and by 'name-gateway' (3 tokens, $0.5)"
    }
    assert call.excess == (3, 0.25)


def test_each_of_several_calls_is_judged_by_itself() -> None:
    good = made("good", "root", **PROMPT, **WHO)
    bad = dataclasses.replace(OWN, start=NOW + LATER, **BARE)
    [first, second] = calls(
        ROOT, good, bad, gateway("fine", "good"), gateway("amiss", "own", start=NOW + LATER)
    )
    assert not first.wrong
    assert second.wrong.keys() == {"c"}


def test_the_gateways_own_spans_belong_to_the_call_they_are_around() -> None:
    server = made("server", "own", type="SPAN", scope="litellm", usage={}, cost=0.0)
    framework = made("web", "server", scope="fastapi", service="litellm", model="chat")
    other = made("other", "root", **PROMPT, **WHO)
    [call, untouched] = calls(
        ROOT, OWN, other, server, framework, gateway(parent="web"), gateway("fine", "other")
    )
    assert call.wrong.keys() == {"j"}
    assert call.wrong["j"] == "in Langfuse, too: 'name-web', 'name-server'"
    assert not untouched.wrong


def test_what_an_agent_claims_is_beyond_what_the_gateway_says() -> None:
    agent = dataclasses.replace(ROOT, type="AGENT", usage={"total": 6}, cost=1.0)
    second = made("own2", "root", **PROMPT, **WHO)
    judged = Judged(traces(agent, OWN, second, gateway(), gateway("g2", "own2")))
    assert [call.wrong.keys() for call in judged.calls] == [{"g"}, {"g"}]
    assert judged.excess == (6, 1.0)


def test_of_many_calls_at_once_each_has_its_own() -> None:
    def asked(number: int) -> dict[str, Any]:
        return {"input": [{"role": "user", "content": f"Who is number {number}?"}]}

    numbers = range(400)
    mine = [made(f"{n}", trace_id=f"t{n}", **asked(n)) for n in numbers]
    theirs = [
        elsewhere(f"of-{n}", **asked(n), metadata={"response_id": f"resp-{n:05}"}) for n in numbers
    ]
    mine[7] = dataclasses.replace(mine[7], output={"id": "resp-00009"})
    mine[9] = dataclasses.replace(mine[9], output={"id": "resp-00007"})
    own = {id_: sides[0] for id_, sides in pairs(*mine, *reversed(theirs))}
    swapped = {"7": "of-9", "9": "of-7"}
    assert own == {f"{n}": swapped.get(f"{n}", f"of-{n}") for n in numbers}
