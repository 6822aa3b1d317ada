"""What is tried: sets of packages, and the tests that are run on each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["ROOT", "Cell", "canary", "cells"]

ROOT = Path(__file__).parents[2]
OLDEST, NEWEST = "3.10", "3.13"
TOOLS = (
    *("hypothesis", "pytest", "opentelemetry-sdk", "opentelemetry-proto", "starlette", "uvicorn"),
    *("opentelemetry-exporter-otlp-proto-http", "rich", "click"),
)
OPENINFERENCE = "openinference-instrumentation-"


@dataclass(frozen=True)
class Adapter:
    """An adapter of the application's side.

    Attributes:
        tests: Where its tests are.
        beside: What else they need.
        on_openai: Whether it needs the OpenAI SDK's adapter.
        oldest_beside: Whether requirements/oldest.in names what fits to its floor.
        oldest_tests: Arguments of pytest that choose what there is on its floor.
        oldest_lacks: What there is not, for the page.
    """

    tests: str
    beside: tuple[str, ...] = ()
    on_openai: bool = False
    oldest_beside: bool = False
    oldest_tests: tuple[str, ...] = ()
    oldest_lacks: str = ""


ADAPTERS = {
    "openai": Adapter("tests/shapes/test_openai.py", oldest_beside=True),
    "langchain": Adapter(
        "tests/shapes/test_langchain.py",
        ("langchain", "langgraph", f"{OPENINFERENCE}langchain"),
        on_openai=True,
        oldest_beside=True,
    ),
    "llama_index": Adapter(
        "tests/shapes/test_llama_index.py",
        ("llama-index-embeddings-openai-like", f"{OPENINFERENCE}llama-index"),
        on_openai=True,
        oldest_beside=True,
    ),
    "litellm_sdk": Adapter(
        "tests/shapes/test_litellm.py",
        (f"{OPENINFERENCE}litellm",),
        on_openai=True,
        # It loads a tokeniser from the network, at the first such call.
        oldest_tests=("-k", "not (responses and of and litellm_proxy)"),
        oldest_lacks="`completion` by way of `/responses` not tried",
    ),
    "anthropic": Adapter(
        "tests/shapes/test_anthropic.py",
        (f"{OPENINFERENCE}anthropic", "opentelemetry-instrumentation-anthropic"),
        oldest_tests=("-k", "test_call and (untraced or OpenLLMetry and not runner) and not parse"),
        oldest_lacks="no `messages.parse`, no spans of its own, none of OpenInference's, and none "
        "of OpenLLMetry's for the tool runner",
    ),
    "celery": Adapter("tests/unit/test_celery.py"),
    "ray": Adapter("tests/unit/test_ray.py", ("ray[data]",)),
}


@dataclass(frozen=True)
class Cell:
    """An environment, and what is run.

    Attributes:
        name: What the page calls it.
        python: Its Python.
        install: Arguments of `uv pip install`, one call for each.
        tests: What pytest is given.
        shown: The packages whose versions the page shows.
        lacks: What its packages have not, and is not tried.
        is_gateway: Whether the environment holds a gateway, and `.venv` runs the tests.
    """

    name: str
    python: str
    install: tuple[tuple[str, ...], ...]
    tests: tuple[str, ...]
    shown: tuple[str, ...]
    is_gateway: bool = False
    env: dict[str, str] = field(default_factory=dict)
    lacks: str = ""


def framework(folder: str) -> tuple[str, str]:
    """The package that an adapter is for, and the floor of its window."""
    text = (ROOT / folder / "pyproject.toml").read_text()
    found = dict(re.findall(r'^  "([\w-]+)>=([\d.]+)', text, re.MULTILINE))
    [name] = [
        each for each in found if not re.match("tracesplice|wrapt|packaging|pluggy|opentel", each)
    ]
    return name, found[name]


def of_adapter(name: str, kind: str, python: str, *specs: str, lifted: bool = False) -> Cell:
    """A cell of one adapter with the newest packages that `specs` admit."""
    adapter = ADAPTERS[name]
    folders = [*(["adapters/openai"] if adapter.on_openai else []), f"adapters/{name}"]
    ours = ["core/wire", "core", "core/view", "core/testing", *folders]
    editable = [argument for folder in ours for argument in ("-e", folder)]
    package, _ = framework(f"adapters/{name}")
    arguments = [*TOOLS, *adapter.beside, *specs, *editable]
    if lifted:
        arguments += ["--override", "tests/matrix/lifted.txt", "--prerelease", "if-necessary"]
    if kind == "oldest":
        arguments += ["--constraint", "requirements/oldest.in"] if adapter.oldest_beside else []
    tests = (adapter.tests, *(adapter.oldest_tests if kind == "oldest" else ()))
    lacks = adapter.oldest_lacks if kind == "oldest" else ""
    shown = dict.fromkeys((package, "openai", "langfuse"))
    return Cell(f"{name}, {kind}", python, (tuple(arguments),), tests, tuple(shown), lacks=lacks)


def of_python(python: str) -> Cell:
    """The pins on another Python."""
    lines = [line.split() for line in (ROOT / "distributions.txt").read_text().splitlines()]
    folders = [words[0] for words in lines if "client" in words and words[0] != "#"]
    editable = tuple(argument for folder in folders for argument in ("-e", folder))
    steps = (("-r", "requirements/client.txt"), ("--no-deps", *editable))
    # In this order: the second imports `langfuse.openai`, which the first goes without.
    tests = ("tests/shapes/test_langchain.py", "tests/shapes/test_openai.py")
    return Cell(f"Python {python}, pins", python, steps, tests, ("openai", "langfuse"))


def of_gateway(name: str, *install: str, release: str = "") -> Cell:
    """A gateway in an environment of its own, with the pinned client."""
    ours = ("--no-deps", "-e", "core/wire", "-e", "adapters/litellm")
    tests = "tests/older_gateways" if release else "tests/conformance/test_forms.py"
    env = {"TRACESPLICE_OLDER_GATEWAY": release} if release else {}
    steps = (install, ours)
    return Cell(name, "3.11", steps, (tests,), ("litellm", "langfuse"), is_gateway=True, env=env)


NEWEST_GATEWAY = ("litellm[proxy]!=1.82.7,!=1.82.8", "langfuse>=4.7,<5", "--upgrade")


def cells() -> list[Cell]:
    """What `make matrix` runs."""
    _, langfuse = framework("core")
    found = []
    for name in ADAPTERS:
        package, floor = framework(f"adapters/{name}")
        floors = (f"{package}=={floor}", f"langfuse=={langfuse}.0")
        found.append(of_adapter(name, "oldest", OLDEST, *floors))
        found.append(of_adapter(name, "newest", NEWEST))
    found += [
        of_adapter("openai", f"{openai[:9]}, {major[:11]}", "3.12", openai, major)
        for openai in ("openai>=2,<3", "openai>=3,<4")
        for major in ("langfuse>=4,<5", "langfuse>=5,<6")
    ]
    found += [of_python(each) for each in ("3.10", "3.11", "3.12", "3.13")]
    for path in sorted(ROOT.glob("requirements/gateway-*.txt")):
        release = path.stem.removeprefix("gateway-")
        pins = ("-r", f"requirements/{path.name}")
        found.append(of_gateway(f"gateway {release}", *pins, release=release))
    found.append(of_gateway("gateway, pins", "-r", "requirements/gateway.txt"))
    found.append(of_gateway("gateway, newest", *NEWEST_GATEWAY))
    return found


def canary() -> list[Cell]:
    """What `make canary` runs: the newest of everything, also what our windows do not admit."""
    found = [of_adapter(each, "newest of all", NEWEST, lifted=True) for each in ADAPTERS]
    return [*found, of_gateway("gateway, newest of all", *NEWEST_GATEWAY)]
