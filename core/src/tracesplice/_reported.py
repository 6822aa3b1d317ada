"""What is known of the client's observations: whose calls are in them, and who counts those."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Inner", "Known", "Place", "Reported", "reported"]

Place = tuple[str, str]
"""Trace id and span id, as lower-case hex."""

Inner = tuple[bool, float | None]
"""Of a generation inside: whether the gateway reports its calls, and the tokens it says itself."""

# Observations that are never exported, for whatever reason, must not pile up: room for three of
# each of 10,000 calls, as a stream may last while many others come and go.
_WAITING = 30_000
# Kept for a second Langfuse client, and for what is exported before the observation around it.
_EXPORTED = 5_000
_INSIDE = 100


@dataclass(slots=True)
class Known:
    """What is known of one observation; each thing becomes true once and stays so.

    Attributes:
        linked: A linked call began in it, or in a generation directly inside.
        own: It is the innermost observation of such a call.
        reported: The gateway answered a call, and reports it.
        kept: There is a call in it that is the client's to count.
        inside: Generations directly inside, by span id.
    """

    linked: bool = False
    own: bool = False
    reported: bool = False
    kept: bool = False
    inside: dict[str, Inner] = field(default_factory=dict)

    def answered(self, reports: bool) -> None:
        """Note that a call was answered, and whether the gateway reports it."""
        if reports:
            self.linked = self.reported = True
        else:
            self.kept = True

    def note_inside(self, span_id: str, inner: Inner) -> None:
        """Note a generation inside; of very many only what decides."""
        if len(self.inside) < _INSIDE or span_id in self.inside:
            self.inside[span_id] = inner
        elif inner[0]:
            self.inside[next(iter(self.inside))] = (True, None)
        else:
            self.kept = True


class Reported:
    """The latest observations with calls in them.

    Calls are made in some threads, and observations are exported in another, while the process may
    fork at any time. So there is no lock: each step is one operation of a dict, or sets one flag.

    Attributes:
        is_used: Whether anybody counts by it.
    """

    def __init__(self, waiting: int = _WAITING, exported: int = _EXPORTED) -> None:
        """Hold so many observations that were not exported yet, and so many that were."""
        self._limits = waiting, exported
        self._waiting: OrderedDict[Place, Known] = OrderedDict()
        self._exported: OrderedDict[Place, Known] = OrderedDict()
        self.is_used = False

    def find(self, place: Place) -> Known | None:
        """Return what is known of an observation, None where nothing is."""
        return self._waiting.get(place) or self._exported.get(place)

    def at(self, place: Place) -> Known:
        """Return what is known of the observation of a call that is being made."""
        return self.find(place) or self._add(self._waiting, place, self._limits[0])

    def around(self, place: Place) -> Known:
        """Return what is known of an observation around one that is being exported."""
        return self.find(place) or self._add(self._exported, place, self._limits[1])

    def note_exported(self, places: Iterable[Place]) -> None:
        """Note that observations were exported; those that nothing is known of do not matter."""
        for place in places:
            known = self._waiting.get(place)
            if known is not None:
                self._exported[place] = known
                self._waiting.pop(place, None)
        self._trim(self._exported, self._limits[1])

    def clear(self) -> None:
        """Forget every observation."""
        self._waiting.clear()
        self._exported.clear()

    def _add(self, known: OrderedDict[Place, Known], place: Place, limit: int) -> Known:
        added = known.setdefault(place, Known())
        self._trim(known, limit)
        return added

    def _trim(self, known: OrderedDict[Place, Known], limit: int) -> None:
        while len(known) > limit:
            known.popitem(last=False)


reported = Reported()
