"""Methods of a class are wrapped once, whatever is done to the class in between, and given back."""

from __future__ import annotations

import functools
import inspect
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import openai
import pytest
import wrapt

from tracesplice._wrap import decorate_method
from tracesplice.adapter import each_class, unwrap_methods, wrap_function, wrap_methods

if TYPE_CHECKING:
    from collections.abc import Callable


class Base:
    """What the classes of these tests inherit from."""

    def say(self, word: str) -> str:
        return f"base {word}"


def of_class() -> Any:
    class Own(Base):
        def tell(self, word: str) -> str:
            return f"own {word}"

        @classmethod
        def make(cls) -> str:
            return cls.__name__

        @staticmethod
        def add(x: int, y: int) -> int:
            return x + y

    return Own


def twice(wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any) -> Any:
    return wrapped(*args, **kwargs) * 2


def louder(wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any) -> Any:
    return f"{wrapped(*args, **kwargs)}!"


def test_a_method_is_wrapped_once_by_each_wrapper() -> None:
    own = of_class()
    for _ in range(2):
        wrap_methods(own, {"tell": twice, "say": twice})
    assert (own().tell("x"), own().say("x")) == ("own xown x", "base xbase x")
    wrap_methods(own, {"tell": louder})
    wrap_methods(own, {"tell": twice})
    assert own().tell("x") == "own xown x!"


def test_a_wrapper_is_told_whose_method_it_is() -> None:
    own, seen = of_class(), []

    def note(wrapped: Callable[..., Any], owner: Any, args: Any, kwargs: Any) -> Any:
        seen.append((owner, args, kwargs))
        return wrapped(*args, **kwargs)

    wrap_methods(own, dict.fromkeys(("tell", "say", "make", "add"), note))
    it = own()
    assert it.say(word="x") == "base x"
    assert own.tell(it, "y") == "own y"
    assert (own.make(), own.add(1, y=2)) == ("Own", 3)
    assert seen == [
        (it, (), {"word": "x"}),
        (it, ("y",), {}),
        (own, (), {}),
        (None, (1,), {"y": 2}),
    ]


def test_an_inherited_method_is_looked_up_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    own = of_class()
    wrap_methods(own, {"say": louder})
    monkeypatch.setattr(Base, "say", lambda _, word: f"later {word}")
    assert own().say("x") == "later x!"
    assert Base().say("x") == "later x"


def test_what_inherits_a_wrapped_method_is_not_wrapped_again() -> None:
    own = of_class()
    wrap_methods(own, {"tell": louder})
    derived: Any = type("Derived", (own,), {})
    wrap_methods(derived, {"tell": louder})
    assert derived().tell("x") == "own x!"
    assert "tell" not in vars(derived)


def test_unwrapped_the_class_is_what_it_was() -> None:
    own = of_class()
    before = dict(vars(own))
    names = ("tell", "say", "make", "add", "no such method")
    unwrap_methods(own, names)
    wrap_methods(own, dict.fromkeys(names[:-1], louder))
    assert dict(vars(own)) != before
    unwrap_methods(own, names)
    unwrap_methods(own, names)
    assert dict(vars(own)) == before


def test_a_wrapper_that_somebody_set_over_ours_stays() -> None:
    own = of_class()
    wrap_methods(own, {"tell": louder})
    ours = own.tell

    @functools.wraps(ours)
    def theirs(self: Any, word: str) -> str:
        return f"({ours(self, word)})"

    own.tell = theirs
    unwrap_methods(own, ["tell"])
    assert own.tell is theirs
    wrap_methods(own, {"tell": louder})
    assert own().tell("x") == "(own x!)"


def test_a_function_is_wrapped_once() -> None:
    once = wrap_function(len, twice)
    assert wrap_function(once, twice) is once
    assert once("abc") == 6


def loud(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def function(*args: Any, **kwargs: Any) -> Any:
        return f"{method(*args, **kwargs)}!"

    return function


def test_a_method_is_decorated_once_and_given_back() -> None:
    own = of_class()
    before = own.tell
    for _ in range(2):
        decorate_method(own, "tell", loud)
    assert (own().tell("x"), own.tell(own(), word="y")) == ("own x!", "own y!")
    assert inspect.isfunction(own.tell)
    assert inspect.signature(own().tell) == inspect.signature(of_class()().tell)
    unwrap_methods(own, ["tell"])
    assert own.tell is before


def test_what_somebody_sets_over_a_decorated_method_stays() -> None:
    for over in (functools.partial(wrap_function, wrapper=twice), loud, wrapt.decorator(twice)):
        own = of_class()
        decorate_method(own, "tell", loud)
        theirs: Any = over(own.tell)
        own.tell = theirs
        said = own().tell("x")
        decorate_method(own, "tell", loud)
        unwrap_methods(own, ["tell"] if over is loud else [])
        assert (vars(own)["tell"], own().tell("x")) == (theirs, said)


def test_what_is_beneath_a_decorated_method_knows_its_owner() -> None:
    own, seen = of_class(), []

    def note(wrapped: Callable[..., Any], owner: Any, args: Any, kwargs: Any) -> Any:
        seen.append((owner, args))
        return wrapped(*args, **kwargs)

    theirs = own.tell = wrapt.FunctionWrapper(own.tell, note)
    decorate_method(own, "tell", loud)
    it = own()
    assert it.tell("x") == "own x!"
    assert seen == [(it, ("x",))]
    unwrap_methods(own, ["tell"])
    assert vars(own)["tell"] is theirs


def test_a_missing_method_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        wrap_methods(openai.OpenAI, {"next_request": twice})
    decorate_method(openai.OpenAI, "next_request", loud)
    wrap_methods(openai.OpenAI, {"another": twice}, required=False)
    [record] = caplog.records
    assert record.name == "tracesplice"
    release = f"openai {version('openai')}"
    assert f"OpenAI has no method next_request in {release};" in record.getMessage()
    assert not hasattr(openai.OpenAI, "next_request")


def test_a_class_of_no_distribution_can_miss_a_method_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrap_methods(of_class(), {"whisper": twice})
    assert "Own has no method whisper in this version of unit;" in caplog.text


def test_each_class_is_met_once_those_to_come_included() -> None:
    told: list[Any] = []

    class Root:
        def __init_subclass__(cls, *, word: str = "", **kwargs: Any) -> None:
            super().__init_subclass__(**kwargs)
            told.append(word)

    class Before(Root, word="before"):
        pass

    met: list[type] = []
    for _ in range(2):
        each_class(Root, met.append)

    class After(Before, word="after"):
        pass

    assert met == [Root, Before, After]
    assert told == ["before", "after"]


def test_each_class_of_a_base_without_a_hook_of_its_own() -> None:
    own = of_class()
    met: list[type] = []
    each_class(own, met.append)
    derived: Any = type("Derived", (own,), {})
    assert met == [own, derived]


def test_each_class_is_met_by_all_who_asked() -> None:
    class Root:
        pass

    class Left(Root):
        pass

    class Right(Root):
        pass

    class Both(Left, Right):
        pass

    first: list[type] = []
    second: list[type] = []
    each_class(Root, first.append)
    each_class(Root, second.append)
    assert first == second == [Root, Left, Both, Right]

    class Later(Both):
        pass

    assert first[4:] == second[4:] == [Later]


@pytest.mark.parametrize("has_hook", [False, True])
def test_nobody_is_told_of_classes_any_more(has_hook: bool) -> None:
    told: list[str] = []

    def init_subclass(cls: type) -> None:
        told.append(cls.__name__)

    hook: dict[str, Any] = {"__init_subclass__": classmethod(init_subclass)} if has_hook else {}
    root: Any = type("Root", (), dict(hook))
    before = dict(vars(root))
    first: list[type] = []
    second: list[type] = []
    end_first, end_second = each_class(root, first.append), each_class(root, second.append)
    for _ in range(2):
        end_first()
    derived: Any = type("Derived", (root,), {})
    assert (first, second) == ([root], [root, derived])
    end_second()
    assert dict(vars(root)) == before
    assert type("Last", (root,), {}) not in second
    assert told == (["Derived", "Last"] if has_hook else [])


def test_somebodys_hook_over_ours_stays() -> None:
    class Root:
        pass

    met: list[type] = []
    end = each_class(Root, met.append)
    ours = vars(Root)["__init_subclass__"]
    theirs = classmethod(lambda cls: ours.__get__(None, cls)())
    Root.__init_subclass__ = theirs  # type: ignore[assignment]
    end()
    assert vars(Root)["__init_subclass__"] is theirs
    assert type("Derived", (Root,), {}) not in met
