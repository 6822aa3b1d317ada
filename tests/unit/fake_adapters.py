"""Adapters as packages on disk, as ``importlib.metadata`` finds them."""

from __future__ import annotations

import sys
from importlib.metadata import distributions
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.metadata import EntryPoint
    from pathlib import Path

HOOK = "from tracesplice.adapter import hookimpl\n\n@hookimpl\n"
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


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAdapters]:
    monkeypatch.syspath_prepend(tmp_path)
    fakes = FakeAdapters(tmp_path)
    yield fakes
    for module in fakes.modules:
        sys.modules.pop(module, None)
