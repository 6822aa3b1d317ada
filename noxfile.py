"""Runs parts of the suite on other sets of packages than `.venv` holds: see requirements/."""

from __future__ import annotations

import sys
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True

UV = str(Path(sys.executable).with_name("uv"))
OLDER_GATEWAYS = sorted(
    path.stem.removeprefix("gateway-") for path in Path("requirements").glob("gateway-*.txt")
)


def distributions(environment: str) -> list[str]:
    """The arguments that install, editable, what distributions.txt has for an environment."""
    lines = [each.split() for each in Path("distributions.txt").read_text().splitlines()]
    folders = [words[0] for words in lines if environment in words and words[0] != "#"]
    return [argument for folder in folders for argument in ("-e", folder)]


def install(session: nox.Session, pins: str, environment: str, *build: str) -> None:
    """Install a pinned set and, editable, this repository's distributions for an environment."""
    steps = (
        ("--require-hashes", "-r", f"requirements/{pins}.txt"),
        (*build, "--no-deps", *distributions(environment)),
    )
    uv = (UV, "pip", "install", "--quiet", "--python", session.virtualenv.location)
    try:
        for step in steps:
            session.run_install(*uv, *step, external=True)
    except CommandFailed:  # much slower, but on some machines pip alone knows the package index
        for step in (("--require-hashes", "-r", "requirements/pip.txt"), *steps):
            session.install("--quiet", "--disable-pip-version-check", *step)


@nox.session
def openai3(session: nox.Session) -> None:
    """Every call shape, and the faults, on openai 3."""
    install(session, "openai3", "client", "--no-build-isolation")
    session.run("python", "-m", "pytest", "tests/shapes")
    session.run("python", "-m", "pytest", "tests/faults")


@nox.session
def oldest(session: nox.Session) -> None:
    """Every call shape on the oldest packages the metadata admits."""
    install(session, "oldest", "client")
    session.run("python", "-m", "pytest", "tests/shapes")


@nox.session(name="pydantic-ai")
def pydantic_ai(session: nox.Session) -> None:
    """A library without an adapter, reached by `instrument`."""
    install(session, "pydantic-ai", "client", "--no-build-isolation")
    session.run("python", "-m", "pytest", "tests/libraries/test_pydantic_ai.py")


@nox.session(name="openai-agents")
def openai_agents(session: nox.Session) -> None:
    """A library without an adapter, reached by `instrument`."""
    install(session, "openai-agents", "client", "--no-build-isolation")
    session.run("python", "-m", "pytest", "tests/libraries/test_openai_agents.py")


@nox.session(name="older-gateway")
@nox.parametrize("release", OLDER_GATEWAYS)
def older_gateway(session: nox.Session, release: str) -> None:
    """A few calls of `.venv` through an older LiteLLM, which this session's environment holds."""
    install(session, f"gateway-{release}", "gateway")
    gateway = {
        "TRACESPLICE_OLDER_GATEWAY": release,
        "TRACESPLICE_GATEWAY_VENV": session.virtualenv.location,
    }
    python = Path(".venv/bin/python").absolute()
    session.run(str(python), "-m", "pytest", "tests/older_gateways", env=gateway, external=True)
