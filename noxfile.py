"""Runs parts of the suite on other sets of packages than `.venv` holds: see requirements/."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nox
from nox.command import CommandFailed

nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True

UV = str(Path(sys.executable).with_name("uv"))
OLDER_GATEWAYS = sorted(
    path.stem.removeprefix("gateway-") for path in Path("requirements").glob("gateway-*.txt")
)


FRAMEWORKS = sorted(path.stem for path in Path("requirements/frameworks").glob("*.txt"))


def _pinned(name: str) -> Path:
    return Path("requirements", f"{name}.txt")


def _framework(name: str) -> Any:
    # Those that each check of a change builds have hashes.
    each = "--hash=" in _pinned(f"frameworks/{name}").read_text()
    return nox.param(name, id=name, tags=["each-check"] if each else [])


def distributions(environment: str) -> list[str]:
    """The arguments that install, editable, what distributions.txt has for an environment."""
    lines = [each.split() for each in Path("distributions.txt").read_text().splitlines()]
    folders = [words[0] for words in lines if environment in words and words[0] != "#"]
    return [argument for folder in folders for argument in ("-e", folder)]


def install(session: nox.Session, pins: str, environment: str, *build: str) -> None:
    """Install a pinned set and, editable, this repository's distributions for an environment."""
    install_pinned(session, pins, (*build, "--no-deps", *distributions(environment)))


def install_pinned(session: nox.Session, pins: str, *after: tuple[str, ...]) -> None:
    """Install a pinned set, then what else is given as arguments of pip."""
    hashes = ("--require-hashes",) if "--hash=" in _pinned(pins).read_text() else ()
    steps = ((*hashes, "-r", str(_pinned(pins))), *after)
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
    session.run("python", "-m", "pytest", "tests/faults", "--ignore=tests/faults/table")


@nox.session
def oldest(session: nox.Session) -> None:
    """Every call shape on the oldest packages the metadata admits."""
    install(session, "oldest", "client")
    session.run("python", "-m", "pytest", "tests/shapes")


@nox.session
def installed(session: nox.Session) -> None:
    """README's commands as they are written, and the contracts on the built wheels."""
    install_pinned(session, "client")
    place = {"TRACESPLICE_INSTALLED_VENV": session.virtualenv.location}
    python = str(Path(".venv/bin/python").absolute())
    session.run(python, "-m", "pytest", "tests/installed", env=place, external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """The site in build/site, with warnings as errors, and what must hold of it."""
    install_pinned(session, "docs")
    quiet = {"NO_MKDOCS_2_WARNING": "1"}
    session.run("mkdocs", "build", "--quiet", "--strict", "-f", "site/mkdocs.yml", env=quiet)
    python = str(Path(".venv/bin/python").absolute())
    session.run(python, "-m", "pytest", "tests/built_site", external=True)


@nox.session
@nox.parametrize("library", [_framework(each) for each in FRAMEWORKS])
def framework(session: nox.Session, library: str) -> None:
    """The programs of one library in its own environment, which `--install-only` builds."""
    install(session, f"frameworks/{library}", "client", "--no-build-isolation")
    python = str(Path(".venv/bin/python").absolute())
    chosen = ("tests/frameworks", "--environment", library)
    session.run(python, "-m", "pytest", *chosen, external=True)


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
