"""Adapters as packages on disk, as ``importlib.metadata`` finds them."""

from __future__ import annotations

import sys
from importlib.metadata import distributions
from typing import TYPE_CHECKING, Any

import pytest

from tracesplice import _hooks, _splice
from tracesplice._hooks import Adapters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.metadata import EntryPoint
    from pathlib import Path

__all__ = ["HOOK", "WORKS", "FakeAdapters", "fakes", "found", "instance_of"]

HOOK = "from tracesplice.adapter import TracespliceError, hookimpl\n\n@hookimpl\n"
WORKS = (
    HOOK + "def tracesplice_handles(): return 'words'\n"
    "@hookimpl\n"
    "def tracesplice_splice(target): return True if isinstance(target, str) else None\n"
)


class FakeAdapters:
    """Writes packages that each hold one adapter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: list[str] = []

    def add(
        self, name: str, code: str, *, requires: Sequence[str] = (), package: str | None = None
    ) -> None:
        package = package or f"adapter-{name}"
        module = package.replace("-", "_")
        self.modules.append(module)
        (self.folder / f"{module}.py").write_text(code)
        info = self.folder / f"{module}-1.2.dist-info"
        info.mkdir()
        needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n{needs}"
        )
        (info / "entry_points.txt").write_text(f"[tracesplice]\n{name} = {module}\n")

    def points(self) -> list[EntryPoint]:
        found = [
            each for dist in distributions(path=[str(self.folder)]) for each in dist.entry_points
        ]
        return sorted(found, key=lambda point: point.name)

    def module(self, name: str) -> Any:
        """The module of an adapter."""
        return next(point.load() for point in self.points() if point.name == name)


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAdapters]:
    monkeypatch.syspath_prepend(tmp_path)
    fakes = FakeAdapters(tmp_path)
    yield fakes
    for module in fakes.modules:
        sys.modules.pop(module, None)


@pytest.fixture
def found(fakes: FakeAdapters, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAdapters]:
    """Adapters of which nothing but the fakes are found by `tracesplice`."""
    monkeypatch.setattr(_hooks, "installed_adapters", lambda: Adapters(fakes.points()))
    monkeypatch.setattr(_splice, "_declared", {})
    _splice.adapters.cache_clear()
    yield fakes
    _splice.adapters.cache_clear()


def instance_of(module: str, *bases: type) -> Any:
    return type("Model", bases, {"__module__": module})()
