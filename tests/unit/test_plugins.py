"""Adapters load one by one: what is wrong with one is reported and the others work."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

import tracesplice
from tracesplice import TracespliceError
from tracesplice._hooks import Adapters, installed_adapters
from tracesplice._plugins import BLOCK_VARIABLE, Adapter
from unit.fake_adapters import HOOK, WORKS, FakeAdapters, fakes, found

__all__ = ["fakes", "found"]

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
    "hook of wrong type": (HOOK + "def tracesplice_handles(): return 3", "with a int in place"),
    "one package, no list": (
        HOOK + "def tracesplice_packages(): return 'acme'",
        "a text in place of a list",
    ),
    "packages that are none": (
        HOOK + "def tracesplice_packages(): return [3]",
        "with a int in place of a text",
    ),
}


def adapters_of(fakes: FakeAdapters, *blocked: str) -> dict[str, Adapter]:
    return {adapter.name: adapter for adapter in Adapters(fakes.points(), blocked).found}


@pytest.mark.parametrize(("code", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_adapter_is_reported_and_the_others_work(
    found: FakeAdapters, code: str, says: str
) -> None:
    found.add("broken", code)
    with pytest.raises(TracespliceError, match="Adapters found: none"):
        tracesplice.unsplice("text")  # it is not asked
    for name in ("a", "z"):
        found.add(name, WORKS)
    adapters = adapters_of(found)
    problem = adapters["broken"].problem or ""
    assert says in problem
    assert "pip install --upgrade adapter-broken" in problem
    assert f"export {BLOCK_VARIABLE}=broken" in problem
    assert "\n" not in problem
    assert adapters["a"] == Adapter("a", "adapter-a", "1.2", handles="words")
    assert adapters["z"] == Adapter("z", "adapter-z", "1.2", handles="words")
    tracesplice._splice.adapters.cache_clear()
    assert tracesplice.splice("text")


def test_ctrl_c_while_loading_is_not_swallowed(fakes: FakeAdapters) -> None:
    fakes.add("slow", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        adapters_of(fakes)


@pytest.mark.parametrize(
    ("window", "says"),
    [
        ("pluggy>=99", "needs pluggy>=99, found 1."),
        ("pluggy<1", "pip install 'pluggy<1'"),
        ("no-such-package>=2", "found nothing: pip install 'no-such-package>=2'"),
        ("no-such-package", "needs no-such-package, found nothing"),
        ("???", "InvalidRequirement"),
    ],
)
def test_an_unmet_version_window_is_reported(fakes: FakeAdapters, window: str, says: str) -> None:
    fakes.add("a", WORKS)
    fakes.add("old", "raise AssertionError('imported')", requires=["pluggy", window])
    adapters = adapters_of(fakes)
    assert says in (adapters["old"].problem or "")
    assert adapters["a"].problem is None


@pytest.mark.parametrize(
    "window", ["pluggy>=1,<99", "no-such-package; extra == 'x'", "nope; python_version < '3'"]
)
def test_a_met_or_optional_window_is_no_problem(fakes: FakeAdapters, window: str) -> None:
    fakes.add("a", WORKS, requires=[window])
    assert adapters_of(fakes)["a"].problem is None


def test_an_adapter_without_metadata_or_words_works(fakes: FakeAdapters) -> None:
    fakes.add("bare", HOOK + "def tracesplice_uninstrument(): ...")
    (fakes.folder / "adapter_bare-1.2.dist-info" / "METADATA").write_text("Summary: x\n")
    assert adapters_of(fakes)["bare"] == Adapter("bare", "adapter_bare", "")


def test_an_entry_point_of_no_distribution_is_named_by_its_module(fakes: FakeAdapters) -> None:
    fakes.add("bare", WORKS)
    [found] = Adapters([EntryPoint("bare", "adapter_bare", "tracesplice")]).found
    assert found == Adapter("bare", "adapter_bare", "", handles="words")


def test_the_second_adapter_of_a_name_does_not_push_out_the_first(found: FakeAdapters) -> None:
    found.add("twin", WORKS, package="one")
    found.add("twin", WORKS, package="two")
    problems = [adapter.problem for adapter in Adapters(found.points()).found]
    assert problems.count(None) == 1
    assert "has the name of another adapter" in str(problems)
    assert tracesplice.splice("text")


def test_the_block_variable_names_adapters_that_are_not_imported(
    fakes: FakeAdapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "c"):
        fakes.add(name, "raise AssertionError('imported')")
    fakes.add("b", WORKS)
    monkeypatch.setenv(BLOCK_VARIABLE, "a, c,unknown")
    adapters = [each for each in installed_adapters().found if each.package.startswith("adapter-")]
    assert [each.name for each in adapters if each.blocked] == ["a", "c"]
    assert all(BLOCK_VARIABLE in (each.problem or "") for each in adapters if each.blocked)
