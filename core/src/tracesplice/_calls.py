"""The client observations whose usage the gateway counts.

Calls are made in some threads, observations are exported in another, and the process may fork at
any time. So there is no lock: each step is one operation on a dict, or sets one flag for good.
``sent`` and ``answered`` run in each call, and so call a function of ours only to forget what is
too much.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Calls", "Known", "SpanKey", "calls"]

SpanKey = tuple[str, str]
"""Of an observation: trace id and span id, as lower-case hex."""

# Observations that are never exported, for whatever reason, must not pile up: room for three of
# each of 10,000 calls, as a stream may last while many others come and go.
_OPEN = 30_000
# Kept for a second Langfuse client.
_EXPORTED = 5_000


class Known:
    """What is known of one observation; a flag that is set stays so.

    Attributes:
        linked: A linked call was sent in it, or in what is directly inside and describes it too.
        own: It is the innermost observation of such a call.
        reported: The gateway answered a call, and reports it.
        kept: A call in it is the client's to count.
    """

    linked = own = reported = kept = False


class Calls:
    """The latest observations with calls in them.

    Attributes:
        is_used: Whether a mask counts by it.
    """

    def __init__(self, open_limit: int = _OPEN, exported_limit: int = _EXPORTED) -> None:
        self._limits = open_limit, exported_limit
        self._open: OrderedDict[SpanKey, Known] = OrderedDict()
        self._exported: OrderedDict[SpanKey, Known] = OrderedDict()
        self.is_used = False

    def sent(self, places: Iterable[SpanKey]) -> None:
        """Note a call that is about to be sent with a link; until it is answered it has failed.

        Args:
            places: The call's own observation, and then those around it that describe it too.
        """
        own = True
        for place in places:
            known = self._open.get(place) or self._exported.get(place)
            known = known or self._open.setdefault(place, Known())
            known.linked = True
            if own:
                known.own, own = True, False
        if len(self._open) > self._limits[0]:
            self._trim(self._open, self._limits[0])

    def answered(self, places: Iterable[SpanKey], reports: bool) -> None:
        """Note a call that was answered.

        Args:
            places: As for ``sent``.
            reports: Whether the gateway reports it; if not, it is the client's to count.
        """
        for place in places:
            known = self._open.get(place) or self._exported.get(place)
            known = known or self._open.setdefault(place, Known())
            if reports:
                known.reported = True
            else:
                known.kept = True
        if len(self._open) > self._limits[0]:
            self._trim(self._open, self._limits[0])

    def find(self, place: SpanKey) -> Known | None:
        """Return what is known of an observation, None where nothing is."""
        return self._open.get(place) or self._exported.get(place)

    def note_exported(self, places: Iterable[SpanKey]) -> None:
        """Note that observations were exported; those that nothing is known of do not matter."""
        for place in places:
            known = self._open.get(place)
            if known is not None:
                self._exported[place] = known
                self._open.pop(place, None)
        self._trim(self._exported, self._limits[1])

    def clear(self) -> None:
        """Forget every observation."""
        self._open.clear()
        self._exported.clear()

    def _trim(self, known: OrderedDict[SpanKey, Known], limit: int) -> None:
        while len(known) > limit:
            known.popitem(last=False)


calls = Calls()
