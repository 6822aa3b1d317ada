"""Which of the client's observations describe a call that the gateway reports as well."""

from __future__ import annotations

from threading import Lock

__all__ = ["Place", "Reported", "reported"]

Place = tuple[str, str]
"""Trace id and span id, as lower-case hex."""

_LIMIT = 10_000  # observations that are not exported, for whatever reason, must not pile up


class Reported:
    """The observations of calls that got an answer, and whether the gateway reports them.

    Safe for any thread: calls are made in some, and observations are exported in another. It holds
    the latest ``limit`` observations.

    Attributes:
        is_used: Whether anybody counts by it.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._lock = Lock()
        self._known: dict[Place, bool] = {}
        self.is_used = False

    def note(self, place: Place, reports: bool) -> bool:
        """Note an observation; where one stands for several calls, all must be reported.

        Returns:
            Whether that is news.
        """
        with self._lock:
            before = self._known.get(place)
            after = reports and before is not False
            self._known[place] = after
            if len(self._known) > self._limit:
                del self._known[next(iter(self._known))]
            return after is not before

    def get(self, place: Place) -> bool | None:
        """Return whether the gateway reports the calls of an observation; None is not known."""
        with self._lock:
            return self._known.get(place)


reported = Reported()
