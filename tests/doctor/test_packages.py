"""What the doctor says of the packages it finds: of this environment, with some put before them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tracesplice._plugins import BLOCK_VARIABLE
from tracesplice_testing.gateway._process import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from doctor.conftest import Doctor

    Found = Callable[[], dict[str, dict[str, Any]]]

PROGRAM = Path(sys.executable).with_name("tracesplice")
NOWHERE = {"LANGFUSE_BASE_URL": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}


@pytest.fixture
def install(tmp_path: Path) -> Callable[[str, str, str], None]:
    """Write the metadata of a package, as an installation would."""

    def install(name: str, version: str, entry_points: str = "") -> None:
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        (folder / "entry_points.txt").write_text(entry_points)

    return install


@pytest.fixture
def found(tmp_path: Path) -> Found:
    """Run the doctor where those packages come first."""

    def found() -> dict[str, dict[str, Any]]:
        ended = subprocess.run(
            [PROGRAM, "doctor", "--json"],
            env=clean_environment({"PYTHONPATH": str(tmp_path), **NOWHERE}),
            capture_output=True,
            check=False,
        )
        return {each["check"]: each for each in json.loads(ended.stdout)["findings"]}

    return found


def test_packages_outside_the_windows(install: Callable[[str, str], None], found: Found) -> None:
    install("openai", "1.2.3")
    install("langfuse", "4.13.0")
    findings = found()
    for check, package in (("packages.openai", "openai"), ("packages.tracesplice", "langfuse")):
        assert findings[check]["state"] == "problem"
        [command] = findings[check]["type"]
        assert command.startswith(f"pip install '{package}")
        assert command not in findings[check]["what"]
    assert "found 1.2.3" in findings["packages.openai"]["what"]


def test_an_adapter_that_cannot_be_loaded(
    install: Callable[[str, str, str], None], found: Found
) -> None:
    install("tracesplice-broken", "1.0", "[tracesplice]\nbroken = no_such_module_anywhere\n")
    finding = found()["packages.broken"]
    assert finding["state"] == "problem"
    assert "cannot be loaded: ModuleNotFoundError" in finding["what"]
    assert finding["type"] == [
        "pip install --upgrade tracesplice-broken",
        f"export {BLOCK_VARIABLE}=broken",
    ]


def test_an_option_that_would_be_left_out(doctor: Doctor) -> None:
    outcome = doctor.run("--model", "chat")
    assert outcome.code == 2
    assert "tracesplice doctor --probe --model chat" in outcome.output


def test_a_key_in_place_of_its_variable_is_not_repeated(doctor: Doctor) -> None:
    outcome = doctor.run("--key-variable", "sk-of-somebody")
    assert outcome.code == 2
    assert "sk-of-somebody" not in outcome.output
    assert "export LITELLM_PROXY_API_KEY=sk-..." in outcome.output


def test_an_adapter_that_is_left_out(doctor: Doctor) -> None:
    outcome = doctor.with_(**{BLOCK_VARIABLE: "openai"}).run()
    assert outcome.state("packages.openai") == "unknown"
    assert f"unset {BLOCK_VARIABLE}" in outcome.text("packages.openai")
    assert outcome.state("packages.langchain") == "ok"
