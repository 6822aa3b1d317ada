"""Finds adapters and talks to them; nothing else touches pluggy's ``pm.hook``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, entry_points, version
from typing import TYPE_CHECKING

import pluggy
from packaging.requirements import Requirement

from tracesplice import hookspecs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracesplice._gateway import Gateway

__all__ = ["BLOCK_VARIABLE", "Adapter", "Adapters", "installed_adapters"]

BLOCK_VARIABLE = "TRACESPLICE_BLOCK"
"""Names of adapters not to load, separated by commas."""


@dataclass(frozen=True)
class Adapter:
    """An adapter that is installed, and whether it works here.

    Attributes:
        name: Its entry point's name.
        distribution: The package it comes with, and that package's version.
        problem: Why it is not used and what to do about it; None when it works.
        handles: What it splices; empty when it does not work.
    """

    name: str
    distribution: str
    problem: str | None = None
    handles: str = ""


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
        blocked = frozenset(blocked)
        self.found = tuple(self._load(point, blocked) for point in points)

    def splice(self, target: object) -> bool:
        """Return whether an adapter spliced ``target``."""
        return bool(self._pm.hook.tracesplice_splice(target=target))

    def unsplice(self, target: object) -> bool:
        """Return whether ``target`` is an adapter's."""
        return bool(self._pm.hook.tracesplice_unsplice(target=target))

    def instrument(self, gateways: Sequence[Gateway]) -> None:
        """Tell every adapter the declared gateways."""
        self._pm.hook.tracesplice_instrument(gateways=gateways)

    def uninstrument(self) -> None:
        """Tell every adapter to undo ``instrument``."""
        self._pm.hook.tracesplice_uninstrument()

    def _load(self, point: EntryPoint, blocked: frozenset[str]) -> Adapter:
        source = point.dist
        label = f"{source.name} {source.version}" if source else "unknown package"
        if point.name in blocked:
            return Adapter(point.name, label, f"blocked by {BLOCK_VARIABLE}")
        problem = unmet_requirement(source) if source else None
        if problem is None:
            problem = self._register(point)
        if problem is not None:
            return Adapter(point.name, label, problem)
        return Adapter(point.name, label, handles=self._handles(point.name))

    def _register(self, point: EntryPoint) -> str | None:
        # Somebody else's module: whatever it raises must not take the other adapters along.
        try:
            plugin = point.load()
            self._pm.register(plugin, name=point.name)
        except BaseException as error:
            if isinstance(error, (KeyboardInterrupt, GeneratorExit)):
                raise
            self._discard(point.name)
            return f"cannot be loaded: {type(error).__name__}: {error}"
        unknown = [hook.name for hook in self._hooks(plugin) if not hook.has_spec()]
        if unknown or not self._hooks(plugin):
            self._discard(point.name)
            return f"unknown hook {unknown[0]}" if unknown else "implements no tracesplice hook"
        return None

    def _discard(self, name: str) -> None:
        if self._pm.has_plugin(name):
            self._pm.unregister(name=name)

    def _hooks(self, plugin: object) -> list[pluggy.HookCaller]:
        return self._pm.get_hookcallers(plugin) or []

    def _handles(self, name: str) -> str:
        others = [plugin for known, plugin in self._pm.list_name_plugin() if known != name]
        only = self._pm.subset_hook_caller("tracesplice_handles", others)
        return ", ".join(only())


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
