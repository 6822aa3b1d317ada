"""What to do where no adapter knows an object, or none works."""

from __future__ import annotations

from importlib.metadata import metadata, requires
from types import ModuleType
from typing import TYPE_CHECKING

from tracesplice._plugins import BLOCK_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from tracesplice._plugins import Adapter

__all__ = ["install_commands", "none_works", "unknown"]

_PACKAGE = "tracesplice"
_NO_ADAPTERS = ("cli", "testing")  # packages, too


def unknown(
    target: object,
    packages: Collection[str],
    found: Collection[Adapter],
    faults: Mapping[str, Exception],
) -> str:
    """Say what to do about an object that no adapter knows.

    Args:
        target: The object.
        packages: The top-level packages of its classes.
        found: The adapters that are installed.
        faults: What adapters raised when they were asked about it, by name.
    """
    if isinstance(target, type):
        return f"{_name(target)} is a class: splice an object of it, {target.__name__}(...)."
    if isinstance(target, ModuleType):
        return (
            f"{target.__name__} is a module: splice the client or model that makes the calls. For "
            "functions that take none, type tracesplice.instrument(gateway=...)."
        )
    working = (f"{each.name} ({each.handles})" for each in found if each.problem is None)
    failed = (
        f" The adapter {name} failed ({type(error).__name__}), which is a fault of its own: "
        f"report it to its authors, or leave it out with {BLOCK_VARIABLE}={name}."
        for name, error in faults.items()
    )
    return (
        f"No adapter knows {_name(type(target))}. {_advice(packages, found)}{''.join(failed)} "
        f"Adapters found: {'; '.join(working) or 'none'}."
    )


def none_works(found: Iterable[Adapter]) -> str:
    """Say what to do where no adapter works."""
    commands = ", or ".join(install_commands())
    broken = "".join(f" {each.name} {each.problem}." for each in found)
    return f"No adapter works here: {commands}.{broken}"


def install_commands() -> list[str]:
    """Return the commands that install an adapter."""
    return [_command(extra) for extra in _extras()]


def _advice(packages: Collection[str], found: Iterable[Adapter]) -> str:
    installed = {_normal(adapter.name): adapter for adapter in found}
    # Ours first, by what is to be installed; then those of others.
    for name in dict.fromkeys((*_extras(), *installed)):
        if not any(_is_for(name, package) for package in packages):
            continue
        adapter = installed.get(_normal(name))
        if adapter is None:
            return f"Install the one for {name}: {_command(name)}."
        if adapter.problem is not None:
            return f"The adapter {adapter.name} is installed but {adapter.problem}."
    return (
        "Splice the client or model that makes the calls. An OpenAI client out of your reach: "
        "tracesplice.instrument(). Any other client: send tracesplice.extra_body() and "
        "tracesplice.headers() with each call."
    )


def _extras() -> list[str]:
    """Return our own extras that install an adapter, which is a package with the extra's name."""
    needed = requires(_PACKAGE) or ()
    return [
        extra
        for extra in metadata(_PACKAGE).get_all("Provides-Extra") or ()
        if extra not in _NO_ADAPTERS
        if any(each.startswith(f"{_PACKAGE}-{extra}") for each in needed)
    ]


def _is_for(extra: str, package: str) -> bool:
    # A framework's packages begin with its name, as LangChain's do: langchain_core, ... The extra
    # for LiteLLM's own is litellm-sdk.
    ours, theirs = f"{_normal(extra)}_", f"{package}_"
    return theirs.startswith(ours) or ours.startswith(theirs)


def _command(extra: str) -> str:
    return f"pip install '{_PACKAGE}[{extra}]'"


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _normal(name: str) -> str:
    return name.replace("-", "_")
