"""What a user gets from the package index: the built wheels, not the checkout."""

from __future__ import annotations

import re
import zipfile
from email import message_from_string
from typing import TYPE_CHECKING

import pytest

from release.dist import ROOT, environments, folders, package_of

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path

FOLDERS = folders()
IN_GATEWAYS = [folder for folder, held in environments().items() if "gateway" in held]
# Not what an application runs with.
TOOLS = {"core/view": {"rich"}, "core/cli": {"click", "rich"}, "core/testing": {"pytest"}}
SHARED = {"langfuse", "opentelemetry-api", "packaging", "pluggy", "wrapt"}


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def wheel(folder: str, wheels: dict[str, Path]) -> Path:
    return wheels[folder]


def read(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        [path] = [each for each in archive.namelist() if each.endswith(f".dist-info/{name}")]
        return archive.read(path).decode()


def metadata(wheel: Path) -> Message:
    return message_from_string(read(wheel, "METADATA"))


def test_it_is_typed_and_licensed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    package = wheel.name.partition("-")[0]
    assert f"{package}/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert all(name.startswith(package) for name in names)


def needs(wheel: Path) -> set[str]:
    """What is always installed with it."""
    needed = metadata(wheel).get_all("Requires-Dist") or []
    return {re.split("[<>=!~ ;]", text)[0] for text in needed if "extra ==" not in text}


def frameworks(wheel: Path) -> set[str]:
    return {name for name in needs(wheel) if not name.startswith("tracesplice")} - SHARED


def test_every_distribution_is_listed() -> None:
    found = [*ROOT.glob("core/pyproject.toml"), *ROOT.glob("*/*/pyproject.toml")]
    assert {str(path.parent.relative_to(ROOT)) for path in found} == set(FOLDERS)


def test_only_the_adapter_names_its_framework(folder: str, wheels: dict[str, Path]) -> None:
    if folder in TOOLS:
        assert frameworks(wheels[folder]) >= TOOLS[folder]
    elif folder.startswith("core"):
        assert frameworks(wheels[folder]) == set()
    else:
        [own] = frameworks(wheels[folder])
        inside = folder in IN_GATEWAYS  # LiteLLM is in applications, too
        alike = [each for each in FOLDERS if (each in IN_GATEWAYS) is inside]
        assert [each for each in alike if own in frameworks(wheels[each])] == [folder]


def test_a_gateways_environment_holds_all_of_ours_that_it_needs(
    wheels: dict[str, Path],
) -> None:
    # Not the core: a gateway has pins of its own.
    inside = {package_of(each).replace("_", "-") for each in IN_GATEWAYS}
    for each in IN_GATEWAYS:
        assert {name for name in needs(wheels[each]) if name.startswith("tracesplice")} <= inside


def test_the_adapter_is_found_by_its_entry_point(folder: str, wheel: Path) -> None:
    package = package_of(folder)
    if package == "tracesplice":
        assert "tracesplice = tracesplice._cli:main" in read(wheel, "entry_points.txt")
    elif folder not in (*TOOLS, *IN_GATEWAYS):
        name = package.removeprefix("tracesplice_")
        assert f"[tracesplice]\n{name} = {package}._plugin" in read(wheel, "entry_points.txt")


def test_the_readme_is_the_description(wheel: Path) -> None:
    assert "tracesplice" in str(metadata(wheel).get_payload())
