"""Each adapter gets its turn, whatever the others do in theirs."""

from __future__ import annotations

from typing import Any

import pytest

import tracesplice
from tracesplice import TracespliceError
from unit.fake_adapters import HOOK, WORKS, FakeAdapters, fakes, found, instance_of

__all__ = ["fakes", "found"]

CARELESS = HOOK + "def tracesplice_splice(target): target.no_such_name\n" + HOOK
CARELESS += "def tracesplice_unsplice(target): return 1 / 0\n" + HOOK
CARELESS += "def tracesplice_instrument(gateways): gateways.clear()\n" + HOOK
CARELESS += "def tracesplice_uninstrument(): raise KeyError('x')\n"
WORKING = WORKS + HOOK + "def tracesplice_unsplice(target): return True\n" + HOOK
WORKING += "def tracesplice_instrument(gateways): told.append(len(gateways))\ntold = []\n" + HOOK
WORKING += "def tracesplice_uninstrument(): told.append('off')\n"


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("name", ["a", "z"])  # asked before the careless one, or after it
def test_a_careless_adapter_costs_the_others_nothing(
    found: FakeAdapters, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    found.add("m", CARELESS)
    found.add(name, WORKING)
    for _ in range(2):
        assert tracesplice.splice("text") == "text"
        assert tracesplice.unsplice("text") == "text"
        tracesplice.instrument(gateway="http://gateway")
        tracesplice.uninstrument()
        with pytest.raises(TracespliceError) as caught:
            tracesplice.splice(7)
        assert "The adapter m failed (AttributeError)" in str(caught.value)
        assert "TRACESPLICE_BLOCK=m" in str(caught.value)
        assert isinstance(caught.value.__cause__, AttributeError)
    assert found.module(name).told == [1, "off"] * 2
    said = [each.getMessage() for each in caplog.records]
    assert all("the adapter m failed in its hook" in each for each in said)
    assert len(said) == len(set(said))  # once each
    assert all(each.exc_info for each in caplog.records)


def test_its_fault_is_raised_under_test(found: FakeAdapters) -> None:
    found.add("m", CARELESS)
    with pytest.raises(AttributeError, match="no_such_name"):
        tracesplice.splice("text")


def test_one_that_refuses_is_heard_after_all_were_told(found: FakeAdapters) -> None:
    code = HOOK + "def tracesplice_instrument(gateways): raise TracespliceError('do this')\n"
    code += HOOK + "def tracesplice_splice(target): raise TracespliceError('or that')\n"
    found.add("m", code)
    with pytest.raises(TracespliceError, match="or that"):
        tracesplice.splice("text")
    for name in ("a", "z"):
        found.add(name, WORKING)
    tracesplice._splice.adapters.cache_clear()
    with pytest.raises(TracespliceError, match="do this"):
        tracesplice.instrument(gateway="http://gateway")
    assert [found.module(name).told for name in ("a", "z")] == [[1], [1]]


def test_who_refuses_does_not_keep_others_from_doing_it(found: FakeAdapters) -> None:
    found.add("m", HOOK + "def tracesplice_splice(target): raise TracespliceError('or that')\n")
    for name in ("a", "z"):
        found.add(name, WORKS)
        tracesplice._splice.adapters.cache_clear()
        assert tracesplice.splice("text") == "text"


def test_who_knows_the_nearest_class_is_asked_first(found: FakeAdapters) -> None:
    """As it knows best what to type."""
    for name, package in (("a", "acme"), ("m", "my"), ("z", "acme")):
        code = HOOK + f"def tracesplice_packages(): return ['other', {package!r}]\n" + HOOK
        found.add(
            name, code + f"def tracesplice_splice(target): raise TracespliceError('{name}')\n"
        )
    with pytest.raises(TracespliceError, match=r"^m$"):
        tracesplice.splice(instance_of("my.app", type(instance_of("acme.models"))))


class Proxy:
    """Says in ``__class__`` what it stands for, as wrapt's proxies do."""

    def __init__(self, wrapped: object) -> None:
        self.wrapped = wrapped

    @property
    def __class__(self) -> Any:
        return type(self.wrapped)

    @__class__.setter
    def __class__(self, _: Any) -> None: ...


@pytest.mark.parametrize(
    ("target", "asked"),
    [
        (instance_of("acme.models"), True),
        (instance_of("acme"), True),
        (instance_of("my.app", type(instance_of("acme.models"))), True),
        (Proxy(instance_of("acme.models")), True),
        (instance_of("acme_like"), False),
        (instance_of("my.acme"), False),
        ("text", False),
        (None, False),
    ],
)
def test_an_adapter_is_asked_about_objects_of_its_packages(
    found: FakeAdapters, target: Any, asked: bool
) -> None:
    code = HOOK + "def tracesplice_packages(): return ['other', 'acme']\n" + HOOK
    code += "def tracesplice_splice(target): return True\n" + HOOK
    found.add("acme", code + "def tracesplice_unsplice(target): return True\n")
    for function in (tracesplice.splice, tracesplice.unsplice):
        if asked:
            assert function(target) is target
        else:
            with pytest.raises(TracespliceError, match="No adapter knows"):
                function(target)


def test_gateways_declared_meanwhile_are_told_too(found: FakeAdapters) -> None:
    # As by another thread, while the adapters are being told.
    code = "import tracesplice\ntold = []\n" + HOOK
    code += "def tracesplice_instrument(gateways):\n"
    code += "    if len(gateways) == 1: tracesplice.instrument(gateway='http://two')\n"
    code += "    told.append(len(gateways))\n"
    found.add("a", code)
    tracesplice.instrument(gateway="http://one")
    assert found.module("a").told == [2, 1, 2]


def test_every_adapter_prepares_once_before_anything_is_spliced(found: FakeAdapters) -> None:
    code = "told = []\n" + HOOK + "def tracesplice_packages(): return ['acme']\n" + HOOK
    code += "def tracesplice_prepare(): told.append('prepared')\n" + HOOK
    found.add("a", code + "def tracesplice_instrument(gateways): told.append('instrumented')\n")
    found.add("z", WORKING)
    tracesplice.splice("text")
    assert found.module("a").told == ["prepared"]
    tracesplice.instrument(gateway="http://gateway")
    assert found.module("a").told == ["prepared", "instrumented"]
