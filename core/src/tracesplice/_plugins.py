"""Finds adapters and talks to them; nothing else touches pluggy's ``pm.hook``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, entry_points, version
from typing import TYPE_CHECKING

import pluggy
from packaging.requirements import Requirement

from tracesplice import hookspecs
from tracesplice._hooks import Hooks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracesplice._gateway import Gateway
    from tracesplice._hooks import Answer

__all__ = ["BLOCK_VARIABLE", "Adapter", "Adapters", "installed_adapters"]

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
        blocked: Whether ``TRACESPLICE_BLOCK`` is the reason.
    """

    name: str
    package: str
    version: str
    problem: str | None = None
    handles: str = ""
    blocked: bool = False


class Adapters:
    """A typed facade over the plugin manager, holding the adapters that work."""

    def __init__(self, points: Iterable[EntryPoint], blocked: Iterable[str] = ()) -> None:
        """Load ``points`` one by one; what fails is reported in ``found`` and left out.

        Args:
            points: Entry points to load.
            blocked: Names of entry points to leave out.
        """
        self._pm = pluggy.PluginManager(hookspecs.PROJECT)
        self._pm.add_hookspecs(hookspecs)
        self._hooks = Hooks(self._pm)
        self._prepared = False
        blocked = frozenset(blocked)
        self.found = tuple(self._load(point, blocked) for point in points)

    def splice(self, target: object) -> Answer:
        """Splice ``target``.

        Raises:
            TracespliceError: It is an adapter's but cannot be spliced.
        """
        self._prepare()
        return self._hooks.first("tracesplice_splice", target)

    def unsplice(self, target: object) -> Answer:
        """Put ``target`` back to what it was.

        Raises:
            TracespliceError: It is an adapter's but cannot be put back.
        """
        return self._hooks.first("tracesplice_unsplice", target)

    def instrument(self, gateways: Sequence[Gateway]) -> None:
        """Tell every adapter the declared gateways.

        Raises:
            TracespliceError: An adapter cannot; the others were told.
        """
        self._prepare()
        self._hooks.each("tracesplice_instrument", gateways=gateways)

    def uninstrument(self) -> None:
        """Tell every adapter to undo ``instrument``."""
        self._hooks.each("tracesplice_uninstrument")

    def _prepare(self) -> None:
        # Two threads may do it at once; an adapter's preparation is the same twice as once.
        if not self._prepared:
            self._hooks.each("tracesplice_prepare")
            self._prepared = True

    def _load(self, point: EntryPoint, blocked: frozenset[str]) -> Adapter:
        package, release = _source(point)
        if point.name in blocked:
            problem = f"is left out by {BLOCK_VARIABLE}; to use it: unset {BLOCK_VARIABLE}"
            return Adapter(point.name, package, release, problem, blocked=True)
        # Somebody else's module: whatever it raises must not take the other adapters along.
        try:
            return Adapter(point.name, package, release, handles=self._register(point))
        except BaseException as error:
            if isinstance(error, (KeyboardInterrupt, GeneratorExit)):
                raise
            problem = _problem(error, point.name, package)
            return Adapter(point.name, package, release, problem)

    def _register(self, point: EntryPoint) -> str:
        unmet = unmet_requirement(point.dist) if point.dist else None
        if unmet is not None:
            raise _UnmetError(unmet)
        if self._pm.has_plugin(point.name):
            raise _UnusableError("has the name of another adapter")
        plugin = point.load()
        try:
            self._pm.register(plugin, name=point.name)
            self._check_hooks(plugin)
            self._check_packages(point.name)
            return self._handles(point.name)
        except BaseException:
            self._discard(point.name)
            raise

    def _check_hooks(self, plugin: object) -> None:
        hooks = self._pm.get_hookcallers(plugin) or []
        unknown = [hook.name for hook in hooks if not hook.has_spec()]
        if unknown:
            raise _UnusableError(f"has the unknown hook {unknown[0]}")
        if not hooks:
            raise _UnusableError("implements no tracesplice hook")

    def _discard(self, name: str) -> None:
        if self._pm.has_plugin(name):
            self._pm.unregister(name=name)

    def _handles(self, name: str) -> str:
        return ", ".join(self._hooks.of(name, "tracesplice_handles"))

    def _check_packages(self, name: str) -> None:
        for declared in self._hooks.of(name, "tracesplice_packages"):
            # A single text would be read as its letters, and the adapter never be asked.
            if isinstance(declared, str) or not all(isinstance(each, str) for each in declared):
                raise _UnusableError("answers tracesplice_packages with no list of names")


class _UnmetError(Exception):
    """A version window that is not met; the message has the command that puts it right."""


class _UnusableError(Exception):
    """An adapter that can be imported and still not be used."""


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


def unmet_requirement(distribution: Distribution) -> str | None:
    """Return which of ``distribution``'s version windows the installed packages do not meet.

    Args:
        distribution: An adapter's; its metadata is the one place that names the windows.

    Returns:
        A sentence with the command that puts it right, or None when all are met.
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


def installed_adapters() -> Adapters:
    """Load the adapters that are installed, except those ``TRACESPLICE_BLOCK`` names."""
    blocked = (name.strip() for name in os.environ.get(BLOCK_VARIABLE, "").split(","))
    return Adapters(entry_points(group=hookspecs.PROJECT), blocked)
