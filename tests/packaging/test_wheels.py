"""What a user gets from the package index: the built wheels, not the checkout."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from email.message import Message

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = {
    "tracesplice_wire": "core/wire",
    "tracesplice": "core",
    "tracesplice_openai": "adapters/openai",
    "tracesplice_langchain": "adapters/langchain",
    "tracesplice_llama_index": "adapters/llama_index",
    "tracesplice_litellm": "adapters/litellm",
}
NEEDS = {
    "tracesplice_wire": set[str](),
    "tracesplice": {
        "langfuse",
        "opentelemetry-api",
        "packaging",
        "pluggy",
        "tracesplice-wire",
        "wrapt",
    },
    "tracesplice_openai": {"openai", "tracesplice", "wrapt"},
    "tracesplice_langchain": {"langchain-openai", "tracesplice", "tracesplice-openai", "wrapt"},
    "tracesplice_llama_index": {
        "llama-index-llms-openai-like",
        "tracesplice",
        "tracesplice-openai",
        "wrapt",
    },
    "tracesplice_litellm": {
        "litellm",
        "tracesplice-wire",
    },  # not the core: a gateway has pins of its own
}


@pytest.fixture(scope="module", params=DISTRIBUTIONS)
def wheel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheels")
    source = ROOT / DISTRIBUTIONS[request.param]
    command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(source)]
    subprocess.run([sys.executable, *command], check=True, capture_output=True, timeout=120)
    [built] = target.glob(f"{request.param}-*.whl")
    return built


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


def test_only_the_adapter_names_its_framework(wheel: Path) -> None:
    needed = metadata(wheel).get_all("Requires-Dist") or []
    always = {text.partition(">")[0] for text in needed if "extra ==" not in text}
    assert {re.split("[<!]", text)[0] for text in always} == NEEDS[wheel.name.partition("-")[0]]


def test_the_adapter_is_found_by_its_entry_point(wheel: Path) -> None:
    if wheel.name.startswith(("tracesplice_litellm-", "tracesplice_wire-")):
        pytest.skip("no adapter of an application's")
    points = read(wheel, "entry_points.txt")
    if wheel.name.startswith("tracesplice-"):
        assert "tracesplice = tracesplice._cli:main" in points
    else:
        package = wheel.name.partition("-")[0]
        name = package.removeprefix("tracesplice_")
        assert f"[tracesplice]\n{name} = {package}._plugin" in points


def test_the_readme_is_the_description(wheel: Path) -> None:
    assert "tracesplice" in str(metadata(wheel).get_payload())
