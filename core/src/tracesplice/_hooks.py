"""The adapters that work here, asked one by one: a fault of one does not cost the others."""

from __future__ import annotations

import os
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

import pluggy

from tracesplice import hookspecs
from tracesplice._advice import unknown
from tracesplice._errors import TracespliceError
from tracesplice._plugins import BLOCK_VARIABLE, ask, load
from tracesplice_wire import STRICT_VARIABLE, report_fault

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tracesplice._plugins import Adapter

__all__ = ["Adapters", "installed_adapters"]


class Adapters:
    """The adapters of a set of entry points.

    One that raises anything but ``TracespliceError`` in a hook has a fault: it is logged once and
    the next is asked. In test runs it is raised.

    Attributes:
        found: All of them, also those that do not work.
    """

    def __init__(self, points: Iterable[EntryPoint], blocked: Iterable[str] = ()) -> None:
        """Load the adapters.

        Args:
            points: Their entry points.
            blocked: Names of those to leave out.
        """
        self._pm = pluggy.PluginManager(hookspecs.PROJECT)
        self._pm.add_hookspecs(hookspecs)
        blocked = frozenset(blocked)
        self.found = tuple(load(self._pm, point, blocked) for point in points)

    def first(self, hook: str, target: object) -> None:
        """Ask the adapters that may know ``target``, until one answers that it is done.

        The nearer a class is that an adapter knows, the sooner it is asked.

        Raises:
            TracespliceError: Adapters say that they cannot do it, and none can; it is the first
                one's. Or none knows ``target``.
        """
        packages = _packages_of(target)
        faults: dict[str, Exception] = {}
        refusals: list[TracespliceError] = []
        for adapter in sorted(self._implementing(hook), key=partial(_distance, packages)):
            asked = adapter.packages is None or not adapter.packages.isdisjoint(packages)
            try:
                if asked and self._ask(adapter.name, hook, faults, target=target):
                    return
            except TracespliceError as error:
                refusals.append(error)
        if refusals:
            raise refusals[0]
        cause = next(iter(faults.values()), None)
        raise TracespliceError(unknown(target, packages, self.found, faults)) from cause

    def each(self, hook: str, **arguments: object) -> None:
        """Ask all adapters.

        Raises:
            TracespliceError: The first that one raised, after all had their turn.
        """
        asked = self._implementing(hook)
        refusals = [self._refusal(adapter.name, hook, **arguments) for adapter in asked]
        for error in filter(None, refusals):
            raise error

    def _implementing(self, hook: str) -> list[Adapter]:
        # As pluggy orders them; an adapter is asked once.
        working = {adapter.name: adapter for adapter in self.found if adapter.problem is None}
        implementations = reversed(getattr(self._pm.hook, hook).get_hookimpls())
        names = dict.fromkeys(each.plugin_name for each in implementations)
        return [working[name] for name in names]

    def _refusal(self, name: str, hook: str, **arguments: object) -> TracespliceError | None:
        try:
            self._ask(name, hook, {}, **arguments)
        except TracespliceError as error:
            return error
        return None

    def _ask(
        self, name: str, hook: str, faults: dict[str, Exception], **arguments: object
    ) -> object:
        try:
            return ask(self._pm, name, hook, **arguments)
        except TracespliceError:
            raise
        except Exception as error:
            if STRICT_VARIABLE in os.environ:
                raise
            faults[name] = error
            report_fault(
                f"hook:{name}:{hook}",
                "tracesplice: the adapter %s failed in its hook %s, and the others were asked. "
                "This is a fault of that adapter: report it to its authors with this traceback, "
                "and leave the adapter out with %s=%s.",
                *(name, hook, BLOCK_VARIABLE, name),
            )
            return None


def installed_adapters() -> Adapters:
    """Load the adapters that are installed, except those ``TRACESPLICE_BLOCK`` names."""
    blocked = (name.strip() for name in os.environ.get(BLOCK_VARIABLE, "").split(","))
    return Adapters(entry_points(group=hookspecs.PROJECT), blocked)


def _packages_of(target: object) -> dict[str, None]:
    # The class's own first. A proxy says in `__class__` what it stands for.
    kinds = (type(target), getattr(target, "__class__", None))
    bases = (base for kind in kinds for base in getattr(kind, "__mro__", ()))
    return dict.fromkeys(str(base.__module__).partition(".")[0] for base in bases)


def _distance(packages: Collection[str], adapter: Adapter) -> int:
    known = adapter.packages or ()
    return next((at for at, name in enumerate(packages) if name in known), len(packages))
