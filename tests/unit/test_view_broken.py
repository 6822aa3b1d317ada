"""Traces that are large, deep, or broken: everything in them is shown, in linear time."""

from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tracesplice_view import Judged, Observation, Trace, as_json, html, trees
from unit.judged_traces import gateway, made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def drawn(judged: Judged, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, _environ={})
    with console.capture() as captured:
        for tree in trees(judged.run):
            console.print(tree)
    return captured.get()


def judged(observations: list[Observation]) -> Judged:
    return Judged([Trace("t1", observations=tuple(observations))])


class Counted(str):
    """An id that counts how often it is compared."""

    __slots__ = ()
    comparisons = 0

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def calls(count: int, id_: Callable[[str], str] = str) -> list[Observation]:
    """A root with a chain of spans that each have a call, and the gateway's part of it."""
    made_: list[Observation] = [made(id_("root"), type="SPAN")]
    for number in range(count // 3):
        span = f"s{number}"
        above = "root" if number % 20 == 0 else f"s{number - 1}"
        made_.append(made(id_(span), id_(above), type="SPAN"))
        made_.append(made(id_(f"c{number}"), id_(span), usage={"total": 1}))
        made_.append(gateway(id_(f"g{number}"), id_(f"c{number}"), input="hi"))
    return made_


def chain(count: int) -> list[Observation]:
    """Each in the one before it, and at the end of them a call."""
    spans = [made(f"s{n}", f"s{n - 1}" if n else None, type="SPAN") for n in range(count)]
    return [*spans, made("own", f"s{count - 1}"), gateway()]


EVERYTHING: list[Callable[[Judged], Any]] = [
    drawn, html, as_json, Judged.text, lambda it: it.traces[0].tree(),
    lambda it: [it.traces[0].children(each.id) for each in it.traces[0].observations],
]  # fmt: skip


@pytest.mark.parametrize("made_of", EVERYTHING)
def test_the_work_is_linear(made_of: Callable[[Judged], Any]) -> None:
    def comparisons(count: int) -> int:
        it = judged(calls(count, Counted))
        Counted.comparisons = 0
        made_of(it)
        return Counted.comparisons

    assert comparisons(1200) < 2.5 * comparisons(600)


def test_a_thousand_observations_take_little_memory() -> None:
    it = judged(calls(1000))
    tracemalloc.start()
    drawn(it)
    html(it)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert used < 60e6


@pytest.mark.parametrize("made_of", EVERYTHING)
def test_deep_nesting_does_not_reach_the_limit_of_recursion(
    made_of: Callable[[Judged], Any],
) -> None:
    made_of(judged(chain(1500)))


def test_deep_nesting_is_shown_with_its_depth() -> None:
    it = judged(chain(500))
    text, page = drawn(it), html(it)
    for number in range(500):
        assert f"name-s{number} " in text
        assert f">name-s{number}<" in page
    assert "(level 502) name-gateway" in text
    assert ">level 502<" in page
    assert page.count("<ul>") < 60


def circles() -> Iterator[list[Observation]]:
    yield [made("a", "a")]
    yield [made("a", "b"), made("b", "a")]
    yield [
        made("below", "a"),
        made("a", "c"),
        made("b", "a"),
        made("c", "b"),
        gateway("g", "below"),
    ]
    yield [
        made("root"),
        made("own", "root"),
        gateway("g", "g"),
        gateway("h", "i"),
        gateway("i", "h"),
    ]


@pytest.mark.parametrize("observations", list(circles()))
def test_circles_are_shown_as_such(observations: list[Observation]) -> None:
    it = judged(observations)
    for shown in (drawn(it), html(it), it.traces[0].tree()):
        for each in observations:
            assert each.name in shown
        assert "its parents are a circle" in shown
    it.text()


def test_what_hangs_on_a_circle_is_below_it() -> None:
    below, *_ = observations = [made("below", "a"), made("a", "b"), made("b", "a")]
    walked = judged(observations).traces[0].walked
    assert [each.note for each in walked if each.observation is below] == [None]


def test_orphans_and_twins_are_shown_as_such() -> None:
    it = judged([made("own"), made("lost", "gone"), made("own", "lost"), gateway()])
    for shown in (drawn(it), html(it), it.traces[0].tree()):
        assert "its parent gone is not in this trace" in shown
        assert "another one has the same id" in shown
        assert shown.count("name-own") >= 2


IDS = st.sampled_from(["", "a", "b", "c", "d", "e"])
ANY = st.lists(st.builds(made, IDS, st.one_of(st.none(), IDS)), max_size=12)


@given(ANY)
def test_whatever_the_parents_each_is_there_once(observations: list[Observation]) -> None:
    trace = judged(observations).traces[0]
    assert {id(each.observation) for each in trace.walked} == {id(each) for each in observations}
    assert len(trace.walked) == len(observations)
    depths = [each.depth for each in trace.walked]
    assert all(after <= before + 1 for before, after in zip([-1, *depths], depths, strict=False))
    html(judged(observations))
    drawn(judged(observations), 30)
    judged(observations).text()
