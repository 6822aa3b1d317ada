"""Which of the client's observations describe a call that the gateway reports as well."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Place", "Reported", "reported"]

Place = tuple[str, str]
"""Trace id and span id, as lower-case hex."""

# Observations that are never exported, for whatever reason, must not pile up: room for three of
# each of 10,000 calls, as a stream may last while many others come and go.
_WAITING = 30_000
# Kept for a second Langfuse client, and for what is exported before the observation around it.
_EXPORTED = 5_000


class Reported:
    """The observations of calls that got an answer, and whether the gateway reports them.

    Safe for any thread: calls are made in some, and observations are exported in another. It holds
    the latest ``waiting`` observations that were not exported yet and ``exported`` that were.

    Attributes:
        is_used: Whether anybody counts by it.
    """

    def __init__(self, waiting: int = _WAITING, exported: int = _EXPORTED) -> None:
        self._limits = waiting, exported
        self._lock = Lock()
        self._waiting: dict[Place, bool] = {}
        self._exported: dict[Place, bool] = {}
        self.is_used = False

    def note(self, place: Place, reports: bool) -> bool:
        """Note an observation; where one stands for several calls, all must be reported.

        Returns:
            Whether that is news.
        """
        with self._lock:
            known = self._exported if place in self._exported else self._waiting
            before = known.get(place)
            after = reports and before is not False
            known[place] = after
            self._trim()
            return after is not before

    def note_exported(self, places: Iterable[Place]) -> None:
        """Note that observations were exported; those that nothing is known of do not matter."""
        with self._lock:
            for place in places:
                reports = self._waiting.pop(place, None)
                if reports is not None:
                    self._exported[place] = reports
            self._trim()

    def get(self, place: Place) -> bool | None:
        """Return whether the gateway reports the calls of an observation; None is not known."""
        with self._lock:
            return self._waiting.get(place, self._exported.get(place))

    def clear(self) -> None:
        """Forget every observation."""
        with self._lock:
            self._waiting.clear()
            self._exported.clear()

    def _trim(self) -> None:
        for known, limit in zip((self._waiting, self._exported), self._limits, strict=True):
            while len(known) > limit:
                del known[next(iter(known))]


reported = Reported()
