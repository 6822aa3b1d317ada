"""Loads adapters one by one, so that what is wrong with one is reported and the others work."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pluggy

__all__ = ["BLOCK_VARIABLE", "Adapter", "ask", "load", "unmet"]

BLOCK_VARIABLE = "TRACESPLICE_BLOCK"
"""Names of adapters not to load, separated by commas."""


@dataclass(frozen=True)
class Adapter:
    """An adapter that is installed, and whether it works here.

    Attributes:
        name: Its entry point's name.
        package: The package it comes with.
        version: That package's version; empty where its metadata has none.
        problem: Why it is not used and what to do about it; None when it works.
        handles: What it splices; empty when it does not work.
        packages: Whose objects it is asked about; None for any.
        blocked: Whether ``TRACESPLICE_BLOCK`` is the reason.
    """

    name: str
    package: str
    version: str
    problem: str | None = None
    handles: str = ""
    packages: frozenset[str] | None = None
    blocked: bool = False


def load(manager: pluggy.PluginManager, point: EntryPoint, blocked: Collection[str]) -> Adapter:
    """Load an adapter and register it, where it works.

    Args:
        manager: Where it is registered.
        point: Its entry point.
        blocked: Names of adapters to leave out.
    """
    package, release = _source(point)
    if point.name in blocked:
        problem = f"is left out by {BLOCK_VARIABLE}; to use it: unset {BLOCK_VARIABLE}"
        return Adapter(point.name, package, release, problem, blocked=True)
    # Somebody else's module: whatever it raises must not take the other adapters along.
    try:
        return Adapter(point.name, package, release, **_register(manager, point))
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, GeneratorExit)):
            raise
        return Adapter(point.name, package, release, _problem(error, point.name, package))


def ask(manager: pluggy.PluginManager, name: str, hook: str, **arguments: object) -> Any:
    """Call ``hook`` of the adapter ``name`` alone."""
    others = [plugin for known, plugin in manager.list_name_plugin() if known != name]
    return manager.subset_hook_caller(hook, others)(**arguments)


def unmet(distribution: Distribution) -> str | None:
    """Say which window in its metadata an installed package is not in, and what to type.

    The metadata is the only place that names the windows. None where all are met.
    """
    for text in distribution.requires or ():
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            installed = "nothing"
        if installed == "nothing" or not requirement.specifier.contains(installed, True):
            window = f"{requirement.name}{requirement.specifier}"
            return f"needs {window}, found {installed}: pip install '{window}'"
    return None


class _UnmetError(Exception):
    """A version window that is not met; the message has the command that puts it right."""


class _UnusableError(Exception):
    """An adapter that can be imported and still not be used."""


def _register(manager: pluggy.PluginManager, point: EntryPoint) -> Mapping[str, Any]:
    _check_requirements(point.dist)
    if manager.has_plugin(point.name):
        raise _UnusableError("has the name of another adapter")
    plugin = point.load()
    try:
        manager.register(plugin, name=point.name)
        _check_hooks(manager.get_hookcallers(plugin) or [])
        return {
            "handles": _text(ask(manager, point.name, "tracesplice_handles") or ""),
            "packages": _packages(ask(manager, point.name, "tracesplice_packages")),
        }
    except BaseException:
        if manager.has_plugin(point.name):
            manager.unregister(name=point.name)
        raise


def _check_requirements(distribution: Distribution | None) -> None:
    wrong = distribution and unmet(distribution)
    if wrong:
        raise _UnmetError(wrong)


def _check_hooks(hooks: list[pluggy.HookCaller]) -> None:
    unknown = [hook.name for hook in hooks if not hook.has_spec()]
    if unknown:
        raise _UnusableError(f"has the unknown hook {unknown[0]}")
    if not hooks:
        raise _UnusableError("implements no tracesplice hook")


def _packages(declared: Any) -> frozenset[str] | None:
    # A single text would be read as its letters, and the adapter never be asked.
    if isinstance(declared, str):
        raise _UnusableError("answers tracesplice_packages with a text in place of a list")
    return None if declared is None else frozenset(map(_text, declared))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _UnusableError(f"answers with a {type(value).__name__} in place of a text")
    return value


def _source(point: EntryPoint) -> tuple[str, str]:
    if point.dist is None:
        return point.module, ""
    metadata = point.dist.metadata  # of somebody else's package, so fields may be missing
    name = metadata["Name"] if "Name" in metadata else point.module  # noqa: SIM401  (no `get`)
    return name, metadata["Version"] if "Version" in metadata else ""  # noqa: SIM401


def _problem(error: BaseException, name: str, package: str) -> str:
    if isinstance(error, _UnmetError):
        return str(error)
    reason = " ".join(str(error).split())
    if not isinstance(error, _UnusableError):
        reason = f"cannot be loaded: {type(error).__name__}: {reason}"
    return (
        f"{reason}; to repair it: pip install --upgrade {package}; "
        f"to leave it out: export {BLOCK_VARIABLE}={name}"
    )
