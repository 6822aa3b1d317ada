"""Every command of README.md is run as it is written there, or by what runs these tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.test_pages import blocks
from installed.environment import FRESH, Environment
from release.dist import ROOT, environments, package_of
from tracesplice_testing.gateway._process import clean_environment

LINES = [
    re.sub(r"^\$ | +#.*$", "", line)
    for block in blocks(Path("README.md"))
    if block.language == "console"
    for line in block.text.splitlines()
]
PIP = [each for each in LINES if each.startswith("pip install ")]
FROM_WHEELS = [each for each in PIP if "build/dist" in each]
FROM_CLONE = [each for each in PIP if each not in FROM_WHEELS]
OURS = [each for each in LINES if each.startswith("tracesplice ")]
# Each in a process of its own: the contract leaves many Langfuse clients behind.
SUITES = ["tests/contract", "tests/shapes"] if FRESH else ["tests/contract/test_openai.py"]
# `make check-dist` runs the first two, .ci/run the third.
WHOLE_RUNS = ["make demo", "make check", "make test"]


@pytest.fixture(scope="module")
def built() -> None:
    """What the line before those with wheels makes."""
    subprocess.run("make dist", shell=True, cwd=ROOT, check=True, capture_output=True)


def named(command: str) -> set[str]:
    """The distributions that a command names by their folders."""
    folders = re.findall(r"\./([\w/]+)", command)
    return {package_of(each).replace("_", "-") for each in folders}


def test_each_command_is_one_of_these() -> None:
    assert sorted(LINES) == sorted([*PIP, *OURS, "make dist", *WHOLE_RUNS])
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_each_distribution_is_installed_by_one() -> None:
    every = {package_of(each).replace("_", "-") for each in environments()}
    assert set.union(*map(named, FROM_CLONE)) == every


@pytest.mark.parametrize("command", FROM_CLONE)
def test_from_the_clone(command: str, environment: Environment) -> None:
    environment.run(command)
    ours = environment.ours()
    assert {*ours} == named(command)
    assert all(str(ROOT / "core") not in each for each in ours.values())
    if "core/cli" in command:
        assert "No adapter is installed" in environment.run("tracesplice plugins")


@pytest.mark.parametrize("command", OURS)
def test_a_command_of_ours_says_what_to_type(command: str) -> None:
    """Without keys and servers; with them: tests/conformance/test_check.py and tests/doctor."""
    program = Path(sys.executable).with_name("tracesplice")
    done = subprocess.run(
        [program, *command.split()[1:]],
        env=clean_environment({"LANGFUSE_BASE_URL": "http://127.0.0.1:9"}),
        capture_output=True,
        text=True,
    )
    said = done.stdout + done.stderr
    assert done.returncode in (1, 2) or command == "tracesplice plugins", said
    assert "export LANGFUSE_PUBLIC_KEY=pk-lf-..." in said or "adapter" in said
    assert "Traceback" not in said


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("command", FROM_WHEELS)
def test_from_wheels(command: str, environment: Environment) -> None:
    environment.run(command)
    assert {*environment.ours()} == {"tracesplice", "tracesplice-wire", "tracesplice-openai"}


@pytest.mark.skipif(not FRESH, reason="by make check-dist")
def test_the_gateway_of_the_tutorial_can_report(environment: Environment) -> None:
    [command] = [
        line.partition("/bin/")[2]
        for block in blocks(Path("docs/tutorial.md"))
        for line in block.text.splitlines()
        if line.startswith("$ gateway/bin/pip install ")
    ]
    environment.run(command)
    # LiteLLM imports them when it starts with `langfuse_otel`, and has them in no extra for users.
    needed = "opentelemetry.sdk.trace, opentelemetry.exporter.otlp.proto.http.trace_exporter"
    environment.run(f"python -c 'import {needed}, litellm.proxy.proxy_cli, tracesplice_litellm'")


@pytest.mark.skipif(not FRESH, reason="by make check-dist")
@pytest.mark.parametrize("command", WHOLE_RUNS[:2])
def test_a_whole_run(command: str) -> None:
    subprocess.run(command, shell=True, cwd=ROOT, check=True)


@pytest.mark.usefixtures("built")
def test_the_suite_passes_on_the_wheels() -> None:
    environment = Environment.pinned()
    environment.clear()
    environment.run("pip install --no-deps build/dist/*.whl")
    assert len(environment.ours()) == len(environments())
    for suite in SUITES:
        said = environment.run(f"python -m pytest -q -p no:cacheprovider {suite}")
        assert " passed" in said
