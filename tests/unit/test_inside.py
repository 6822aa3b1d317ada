"""What the observations inside others used, while the outer ones are not exported."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracesplice._inside import Inside, Insides, Told
from tracesplice._used import NOTHING, UNKNOWN, Used

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE = Told(False, Used(1.0), Used(2.0))
OF_A_CALL = Told(True, Used(10.0), None)


def sums(insides: Insides, span_id: str, trace: str = "t") -> list[float]:
    inside = insides.find((trace, span_id))
    return [0 if used is None else used.tokens for used in (inside or Inside()).all()]


def test_those_inside_are_added_up_by_what_they_describe() -> None:
    inside = Inside()
    assert inside.all() == (None, None)
    for span_id, told in {"a": ONE, "b": ONE, "c": OF_A_CALL}.items():
        inside.tell(span_id, told)
        inside.tell(span_id, told)  # once more, by a second client
    assert inside.all() == (Used(12.0), Used(4.0))
    assert inside.all(describes=True) == (Used(10.0), None)
    assert inside.all(describes=False) == (Used(2.0), Used(4.0))


def test_of_very_many_the_first_ones_lose_their_names() -> None:
    inside = Inside()
    for number in range(3_000):
        inside.tell(str(number), ONE if number % 2 else OF_A_CALL)
    assert inside.all() == (Used(1_500 * 11.0), Used(1_500 * 2.0))
    assert len(inside.told) <= 1_002


def test_what_comes_late_is_passed_on_to_what_was_not_exported() -> None:
    insides = Insides()
    insides.tell(("t", "step"), "early", ONE)
    insides.note_exported(("t", "step"), "chain")
    insides.note_exported(("t", "chain"), "agent")
    for _ in range(2):  # by two clients
        insides.tell(("t", "step"), "early", ONE)
        insides.tell(("t", "step"), "late", OF_A_CALL)
    assert sums(insides, "step") == [11, 2]
    assert sums(insides, "agent") == [10, 0]
    agent = insides.find(("t", "agent"))
    assert agent is not None
    assert not agent.told["late"].describes
    insides.note_exported(("t", "agent"), None)
    insides.tell(("t", "chain"), "later", ONE)
    assert sums(insides, "agent") == [11, 2]


@given(st.integers(1, 20), st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30))))
def test_it_holds_the_latest_up_to_its_limit(limit: int, told: list[tuple[str, int]]) -> None:
    insides = Insides(limit, 5)
    for trace, number in told:
        insides.tell((trace, str(number)), "x", ONE)
    held = {place for place in {(t, str(n)) for t, n in told} if insides.find(place)}
    assert len(held) == min(limit, len(set(told)))
    if told:
        assert (told[-1][0], str(told[-1][1])) in held


def test_an_agent_that_works_on_is_held_while_others_come_and_go() -> None:
    insides = Insides(100, 5)
    for number in range(1_000):
        insides.tell((f"trace {number}", "root"), "x", ONE)
        if not number % 50:
            insides.tell(("t", "agent"), str(number), ONE)
    assert sums(insides, "agent") == [20, 40]


def test_what_is_exported_is_held_for_a_while() -> None:
    insides = Insides(10, 5)
    for number in range(20):
        insides.tell(("t", str(number)), "x", ONE)
        insides.note_exported(("t", str(number)), None)
    assert [n for n in range(20) if insides.find(("t", str(n)))] == list(range(15, 20))


def test_gaps_are_what_was_not_exported_if_there_are_few() -> None:
    insides = Insides()
    for span_id in ("gap", "exported", "own", "around"):
        insides.tell(("t", span_id), "x", ONE)
    insides.note_exported(("t", "exported"), "own")
    assert [span_id for span_id, _ in insides.gaps("t", "own", "around")] == ["gap"]
    assert list(insides.gaps("another", None)) == []
    for number in range(8):
        insides.tell(("t", str(number)), "x", ONE)
    assert list(insides.gaps("t")) == []


def test_threads_do_not_disturb_each_other() -> None:
    insides = Insides(50, 50)

    def work(trace: str) -> bool:
        for number in range(2_000):
            insides.tell((trace, str(number)), "x", ONE)
            insides.note_exported((trace, str(number - 1)), str(number))
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, "abcd"))


@pytest.fixture
def _switching() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_switching")
def test_of_what_threads_tell_at_once_nothing_is_lost() -> None:
    inside = Inside()

    def work(name: str) -> bool:
        for number in range(4_000):
            inside.tell(f"{name}{number}", Told(bool(number % 2), Used(1.0), None))
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, "abcdefgh"))
    assert inside.all() == (Used(32_000.0), None)


@pytest.mark.usefixtures("_switching")
def test_threads_may_work_on_the_same_traces() -> None:
    """As two Langfuse clients do that export the same spans."""
    insides = Insides(5, 5)

    def work(_: object) -> bool:
        for number in range(4_000):
            trace = f"t{number % 3}"
            insides.tell((trace, str(number)), "x", ONE)
            list(insides.gaps(trace))
            insides.find((trace, str(number)))
            if number % 3:
                insides.note_exported((trace, str(number - 1)), str(number))
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
    insides.tell(("t", "agent"), "x", ONE)
    assert sums(insides, "agent") == [1, 2]


AMOUNTS = st.builds(
    lambda first, second: Used(first + second, {"input": first, "output": second}),
    st.integers(0, 99),
    st.integers(0, 99),
)


class TestUsed:
    @given(AMOUNTS, AMOUNTS)
    def test_what_was_added_can_be_subtracted(self, first: Used, second: Used) -> None:
        left = (first + second) - second
        assert left.tokens == first.tokens
        if first:
            assert left.details == {**first.kinds, "total": first.tokens} or not all(
                first.kinds.values()
            )

    def test_of_what_is_not_known_nothing_is_more(self) -> None:
        assert Used(5.0) - UNKNOWN == NOTHING
        assert not (UNKNOWN - Used(5.0)).is_known
        assert not (Used(5.0) + UNKNOWN).is_known
        assert Used(5.0).larger(UNKNOWN) is UNKNOWN.larger(Used(5.0)) is UNKNOWN

    @pytest.mark.parametrize(
        ("first", "second", "details"),
        [
            ({"input": 9, "input_cached_tokens": 5}, {"input": 3, "input_cached_tokens": 4}, None),
            # By other names, as those of a call and of its agent may be.
            (
                {"input": 9, "input_cached_tokens": 5, "output": 3},
                {"input": 9, "input_cache_read": 2, "output": 1},
                {"input": 3, "output": 2, "total": 5},
            ),
            ({"input": 3, "output": 4}, {"": 2}, {"total": 5}),
        ],
    )
    def test_what_is_left_is_said_by_kind_as_far_as_kinds_agree(
        self, first: dict[str, float], second: dict[str, float], details: dict[str, float] | None
    ) -> None:
        left = Used(sum(first.values()), first) - Used(sum(second.values()), second)
        assert left.details == (details or {"input": 6, "input_cached_tokens": 1, "total": 7})

    def test_cost_is_subtracted_where_it_is_known_and_else_by_its_share(self) -> None:
        whole = Used(10.0, {}, 1.0)
        assert (whole - Used(5.0, {}, 0.8)).cost == pytest.approx(0.2)
        assert (whole - Used(4.0)).cost == pytest.approx(0.6)
