"""What is known of the observations that calls are made in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracesplice._calls import Calls

PLACES = st.tuples(st.sampled_from("ab"), st.sampled_from("cdef"))


def says(known: Calls, *place: str) -> bool | None:
    """Whether the gateway reports all calls of an observation; None where none was answered."""
    found = known.find((place[0], place[1]))
    return None if found is None else found.reported and not found.kept


@given(st.lists(st.tuples(PLACES, st.booleans())))
def test_an_observation_is_reported_if_all_its_calls_are(
    notes: list[tuple[tuple[str, str], bool]],
) -> None:
    known = Calls()
    for number, (place, reports) in enumerate(notes):
        known.answered([place], reports)
        known.note_exported([place] * (number % 2))  # it may turn out late
    for place in {place for place, _ in notes}:
        assert says(known, *place) is all(reports for each, reports in notes if each == place)
    assert known.find(("x", "y")) is None


def test_a_call_is_in_the_first_place_and_what_is_around_it_knows_of_it() -> None:
    known = Calls()
    known.sent([("t", "own"), ("t", "around")])
    known.sent([("t", "around"), ("t", "root")])
    found = [known.find(("t", name)) for name in ("own", "around", "root")]
    assert [each and (each.linked, each.own) for each in found] == [
        (True, True),
        (True, True),
        (True, False),
    ]


@pytest.mark.parametrize("sent", [True, False])
@given(limit=st.integers(1, 20), count=st.integers(0, 60))
def test_it_holds_the_latest_up_to_its_limit(sent: bool, limit: int, count: int) -> None:
    known = Calls(limit)
    for number in range(count):
        place = ("t", str(number))
        known.sent([place]) if sent else known.answered([place], True)
    held = [number for number in range(count) if known.find(("t", str(number)))]
    assert held == list(range(max(0, count - limit), count))


@given(st.integers(1, 20), st.integers(0, 60))
def test_what_is_exported_makes_room(limit: int, count: int) -> None:
    known = Calls(limit, 5)
    known.answered([("t", "a stream")], True)
    for number in range(count):
        known.answered([("t", str(number))], True)
        known.note_exported([("t", str(number)), ("t", "of no call")])
    assert says(known, "t", "a stream") is (True if limit > 1 or not count else None)
    held = [number for number in range(count) if says(known, "t", str(number))]
    assert held == list(range(max(0, count - 5), count))
    assert known.find(("t", "of no call")) is None


def test_threads_do_not_disturb_each_other() -> None:
    known = Calls(50)

    def work(name: str) -> bool:
        for number in range(2_000):
            known.answered([(name, str(number))], True)
            known.note_exported([(name, str(number - 1))])
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, "abcd"))
    assert all(says(known, name, "1999") for name in "abcd")
