"""Asks adapters one by one, so that a fault of one does not cost the others their turn."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tracesplice._errors import TracespliceError
from tracesplice_wire import STRICT_VARIABLE, report_fault

if TYPE_CHECKING:
    import pluggy

__all__ = ["Answer", "Hooks"]


@dataclass
class Answer:
    """What came of asking.

    Attributes:
        done: Whether an adapter did what it was asked to.
        faults: Adapters that failed at it, by name.
    """

    done: bool = False
    faults: dict[str, Exception] = field(default_factory=dict)


class Hooks:
    """The hooks of the adapters in a plugin manager.

    An adapter that raises anything but ``TracespliceError`` has a fault: it is logged once and the
    next adapter is asked. In test runs it is raised.
    """

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self._pm = manager

    def of(self, name: str, hook: str, **arguments: object) -> list[Any]:
        """Ask the adapter ``name``; return what its implementations of ``hook`` answer."""
        others = [plugin for known, plugin in self._pm.list_name_plugin() if known != name]
        answer = self._pm.subset_hook_caller(hook, others)(**arguments)
        return answer if isinstance(answer, list) else [answer]

    def first(self, hook: str, target: object) -> Answer:
        """Ask those that may know ``target``, until one answers True.

        Raises:
            TracespliceError: An adapter says that it cannot do it, and why.
        """
        packages, found = _packages_of(target), Answer()
        for name in self._implementing(hook):
            if self._knows(name, packages, found) and self._ask(found, name, hook, target=target):
                found.done = True
                break
        return found

    def each(self, hook: str, **arguments: object) -> None:
        """Ask all adapters.

        Raises:
            TracespliceError: The first that one raised, after all had their turn.
        """
        refused = [self._refusal(name, hook, **arguments) for name in self._implementing(hook)]
        for error in filter(None, refused):
            raise error

    def _implementing(self, hook: str) -> list[str]:
        # As pluggy orders them; an adapter is asked once.
        caller = getattr(self._pm.hook, hook)
        return list(dict.fromkeys(each.plugin_name for each in reversed(caller.get_hookimpls())))

    def _knows(self, name: str, packages: frozenset[str], found: Answer) -> bool:
        declared = self._ask(found, name, "tracesplice_packages")
        return declared is None or not packages.isdisjoint(declared)

    def _refusal(self, name: str, hook: str, **arguments: object) -> TracespliceError | None:
        try:
            self._ask(Answer(), name, hook, **arguments)
        except TracespliceError as error:
            return error
        return None

    def _ask(self, found: Answer, name: str, hook: str, **arguments: object) -> Any:
        try:
            return next(iter(self.of(name, hook, **arguments)), None)
        except TracespliceError:
            raise
        except Exception as error:
            if STRICT_VARIABLE in os.environ:
                raise
            found.faults[name] = error
            _log_fault(name, hook)
            return None


def _packages_of(target: object) -> frozenset[str]:
    # A proxy says in `__class__` what it stands for.
    classes = (type(target), getattr(target, "__class__", None))
    hierarchy = (base for each in classes for base in getattr(each, "__mro__", ()))
    return frozenset(str(base.__module__).partition(".")[0] for base in hierarchy)


def _log_fault(name: str, hook: str) -> None:
    report_fault(
        f"hook:{name}:{hook}",
        "tracesplice: the adapter %s failed in its hook %s, and the others were asked. This is a "
        "fault of that adapter: report it to its authors with this traceback, and leave the "
        "adapter out with TRACESPLICE_BLOCK=%s.",
        name,
        hook,
        name,
    )
