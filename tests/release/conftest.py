"""What is built once for all tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from release import dist

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheel and sdist of each distribution."""
    target = tmp_path_factory.mktemp("dist")
    dist.build(target)
    return target


@pytest.fixture(scope="session")
def wheels(built: Path) -> dict[str, Path]:
    """Folder of a distribution -> its wheel."""
    found = {path.name.partition("-")[0]: path for path in built.glob("*.whl")}
    return {folder: found[dist.package_of(folder)] for folder in dist.folders()}
