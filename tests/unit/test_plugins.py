"""Adapters load one by one: what is wrong with one is reported and the others work."""

from __future__ import annotations

import pytest

from tracesplice._gateway import Gateway
from tracesplice._plugins import BLOCK_VARIABLE, Adapter, Adapters, installed_adapters
from unit.fake_adapters import HOOK, WORKS, FakeAdapters, fakes

__all__ = ["fakes"]

BROKEN = {
    "import error": ("import no_such_module", "ModuleNotFoundError: No module named"),
    "syntax error": ("def", "SyntaxError"),
    "exit at import": ("raise SystemExit(3)", "cannot be loaded: SystemExit: 3"),
    "two-line message": ("raise ValueError('one\\n  two')", "ValueError: one two"),
    "mistyped hook": (HOOK + "def tracesplice_splise(target): ...", "hook tracesplice_splise"),
    "one mistyped hook": (WORKS + HOOK + "def tracesplice_x(): ...", "hook tracesplice_x"),
    "wrong arguments": (HOOK + "def tracesplice_splice(client): ...", "PluginValidationError"),
    "no hooks": ("def tracesplice_splice(target): ...", "implements no tracesplice hook"),
    "raising hook": (HOOK + "def tracesplice_handles(): 1 / 0", "ZeroDivisionError"),
    "exiting hook": (HOOK + "def tracesplice_handles(): raise SystemExit", "SystemExit"),
    "hook of wrong type": (HOOK + "def tracesplice_handles(): return 3", "TypeError"),
    "one package, no list": (
        HOOK + "def tracesplice_packages(): return 'acme'",
        "no list of names",
    ),
    "packages that are none": (HOOK + "def tracesplice_packages(): return [3]", "no list of names"),
}


def load(fakes: FakeAdapters, *blocked: str) -> tuple[Adapters, dict[str, Adapter]]:
    adapters = Adapters(fakes.points(), blocked)
    return adapters, {adapter.name: adapter for adapter in adapters.found}


@pytest.mark.parametrize(("code", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_adapter_is_reported_and_the_others_work(
    fakes: FakeAdapters, code: str, says: str
) -> None:
    fakes.add("a", WORKS)
    fakes.add("broken", code)
    fakes.add("z", WORKS)
    adapters, found = load(fakes)
    problem = found["broken"].problem or ""
    assert says in problem
    assert "pip install --upgrade adapter-broken" in problem
    assert f"export {BLOCK_VARIABLE}=broken" in problem
    assert "\n" not in problem
    assert found["a"] == Adapter("a", "adapter-a", "1.2", handles="words")
    assert found["z"] == Adapter("z", "adapter-z", "1.2", handles="words")
    assert adapters.splice("text").done


@pytest.mark.parametrize("code", [code for code, _ in BROKEN.values()], ids=BROKEN)
def test_a_broken_adapter_is_not_asked(fakes: FakeAdapters, code: str) -> None:
    fakes.add("broken", code)
    adapters, _ = load(fakes)
    assert not adapters.splice("text").done
    assert not adapters.unsplice("text").done
    adapters.instrument([Gateway.declare("http://gateway")])
    adapters.uninstrument()


def test_ctrl_c_while_loading_is_not_swallowed(fakes: FakeAdapters) -> None:
    fakes.add("slow", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load(fakes)


@pytest.mark.parametrize(
    ("window", "says"),
    [
        ("pluggy>=99", "needs pluggy>=99, found 1."),
        ("pluggy<1", "pip install 'pluggy<1'"),
        ("no-such-package>=2", "found nothing: pip install 'no-such-package>=2'"),
        ("no-such-package", "needs no-such-package, found nothing"),
    ],
)
def test_an_unmet_version_window_is_reported(fakes: FakeAdapters, window: str, says: str) -> None:
    fakes.add("a", WORKS)
    fakes.add("old", "raise AssertionError('imported')", requires=["pluggy", window])
    adapters, found = load(fakes)
    assert says in (found["old"].problem or "")
    assert adapters.splice("text").done


@pytest.mark.parametrize(
    "window", ["pluggy>=1,<99", "no-such-package; extra == 'x'", "nope; python_version < '3'"]
)
def test_a_met_or_optional_window_is_no_problem(fakes: FakeAdapters, window: str) -> None:
    fakes.add("a", WORKS, requires=[window])
    _, found = load(fakes)
    assert found["a"].problem is None


def test_unreadable_metadata_is_reported_and_the_others_work(fakes: FakeAdapters) -> None:
    fakes.add("a", WORKS)
    fakes.add("odd", WORKS, requires=["???"])
    fakes.add("bare", WORKS)
    (fakes.folder / "adapter_bare-1.2.dist-info" / "METADATA").write_text("Summary: x\n")
    _, found = load(fakes)
    assert "InvalidRequirement" in (found["odd"].problem or "")
    assert found["bare"] == Adapter("bare", "adapter_bare", "", handles="words")
    assert found["a"].problem is None


def test_the_second_adapter_of_a_name_does_not_push_out_the_first(fakes: FakeAdapters) -> None:
    fakes.add("twin", WORKS, package="one")
    fakes.add("twin", WORKS, package="two")
    adapters = Adapters(fakes.points())
    problems = [adapter.problem for adapter in adapters.found]
    assert problems.count(None) == 1
    assert "has the name of another adapter" in str(problems)
    assert adapters.splice("text").done


def test_what_an_adapter_handles_is_its_own(fakes: FakeAdapters) -> None:
    fakes.add("a", WORKS)
    fakes.add("b", WORKS.replace("'words'", "'numbers'"))
    fakes.add("c", HOOK + "def tracesplice_uninstrument(): ...")
    _, found = load(fakes)
    assert [found[name].handles for name in "abc"] == ["words", "numbers", ""]


def test_a_blocked_adapter_is_not_imported(fakes: FakeAdapters) -> None:
    fakes.add("a", "raise AssertionError('imported')")
    adapters, found = load(fakes, "a")
    assert found["a"].blocked
    assert BLOCK_VARIABLE in (found["a"].problem or "")
    assert not adapters.splice("text").done


def test_the_block_variable_names_adapters(
    fakes: FakeAdapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        fakes.add(name, WORKS)
    monkeypatch.setenv(BLOCK_VARIABLE, "a, c,unknown")
    blocked = {adapter.name for adapter in installed_adapters().found if adapter.blocked}
    assert blocked == {"a", "c"}


def test_every_adapter_is_told_the_gateways(fakes: FakeAdapters) -> None:
    told = "told = []\n" + HOOK + "def tracesplice_instrument(gateways): told.append(gateways)\n"
    told += "@hookimpl\ndef tracesplice_uninstrument(): told.clear()\n"
    fakes.add("a", told)
    fakes.add("b", told)
    adapters, _ = load(fakes)
    gateways = [Gateway.declare("http://gateway")]
    modules = [point.load() for point in fakes.points()]
    adapters.instrument(gateways)
    assert [module.told for module in modules] == [[gateways], [gateways]]
    adapters.uninstrument()
    assert [module.told for module in modules] == [[], []]
