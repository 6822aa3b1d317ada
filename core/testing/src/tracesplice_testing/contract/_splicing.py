"""Promise 1: what `splice` does to an object, and to what that makes of itself."""

from __future__ import annotations

import copy
import gc
import pickle
from typing import TYPE_CHECKING, Any

import pytest

import tracesplice
from tracesplice_testing.contract._promises import hold
from tracesplice_testing.contract._subject import Subject, carries_link

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Splicing"]

_COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda target: pickle.loads(pickle.dumps(target)),  # noqa: S301  (our own)
}


class Splicing(Subject):
    """Tests of promise 1."""

    @pytest.fixture(autouse=True)
    def _of_splice(self, request: pytest.FixtureRequest) -> None:
        if request.node.originalname in vars(Splicing):
            self.needs_splice()

    def test_splice_returns_the_object(self) -> None:
        """`splice` gives back what it was given."""
        target = self.made()
        kind = type(target)
        hold(1, tracesplice.splice(target) is target, "splice returned something else")
        hold(1, type(target) is kind, f"the object became a {type(target).__qualname__}")

    def test_splice_twice_is_once(self) -> None:
        """A second `splice` changes nothing, and one `unsplice` undoes both."""
        target = tracesplice.splice(self.spliced())
        self.ask(target)
        self.requests(1)
        self.judge()
        self.ask(tracesplice.unsplice(target))
        self.judge_untouched(1, self.requests(2)[1:], "spliced twice and unspliced")

    def test_unsplice_undoes_it(self) -> None:
        """An unspliced object's calls are its own again."""
        target = tracesplice.unsplice(self.spliced())
        hold(1, target is not None, "unsplice returned nothing")
        self.ask(target)
        self.judge_untouched(1, self.requests(1), "the object was unspliced")

    def test_other_objects_are_not_affected(self) -> None:
        """A second object with the same address is not spliced."""
        spliced, other = self.spliced(), self.made()
        self.ask(other)
        self.judge_untouched(1, self.requests(1), "another object with this address was spliced")
        self.ask(spliced)
        hold(1, carries_link(self.requests(2)[1]), "a call of the spliced object has no link")

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    @pytest.mark.parametrize("way", [*_COPIES])
    def test_copies_are_spliced(self, way: str) -> None:
        """A copy of a spliced object is spliced."""
        copied = _COPIES[way]
        try:
            self.kept(copied(self.made()))
        except Exception as error:  # noqa: BLE001  (whatever the framework raises)
            gc.collect()  # what is half made may not like to be freed
            pytest.skip(f"without tracesplice, {way} raises {type(error).__name__}: {error}")
        made = self.kept(copied(self.spliced()))
        self.ask(made)
        hold(1, carries_link(self.requests(1)[0]), f"a call of its {way} has no link")
        self.judge()

    def test_what_it_makes_of_itself_is_spliced(self) -> None:
        """What `derive` returns is spliced."""
        found = list(self.derive(self.spliced()))
        if not found:
            pytest.skip(f"{type(self).__name__}.derive is not filled in")
        for number, each in enumerate(found):
            self.ask(each)
            hold(1, carries_link(self.requests(number + 1)[-1]), f"{each!r} is not spliced")
