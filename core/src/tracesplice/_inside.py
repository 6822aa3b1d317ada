"""What the observations inside another one have used, for the observation that repeats it.

Spans are exported from the inside out, mostly: a call's in one batch, that of the agent around it
minutes later. So what is inside is kept until the outer one is exported. Several Langfuse clients
may export at once, and the process may fork: there is no lock, each step is one operation on a
dict.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from tracesplice._used import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracesplice._calls import SpanKey
    from tracesplice._used import Used

__all__ = ["Inside", "Insides", "Told", "added", "insides", "plus"]

# Of observations that are not exported yet, or never; and those whose children may come later.
_OPEN = 30_000
_EXPORTED = 10_000
_CHILDREN = 1_000
_GAPS = 8
_DEPTH = 100


class Told(NamedTuple):
    """What an observation tells the one around it.

    Attributes:
        describes: Whether it is a generation: one directly around it describes the same call.
        reported: What the calls in it used that the gateway reports; None where no call in it was
            linked.
        kept: What it and those inside it keep; None where that is nothing.
    """

    describes: bool
    reported: Used | None
    kept: Used | None


class Inside:
    """What is inside one observation.

    Attributes:
        linked: A generation directly inside is of a linked call.
        reported: One directly inside is of a call that the gateway reports.
        kept: One directly inside is of a call that is the client's to count.
        told: By span id of those directly inside.
        rest: Of those too many to be told apart, by whether they describe the same calls.
        noted: What records of usage directly inside have repeated.
    """

    __slots__ = ("kept", "linked", "noted", "reported", "rest", "told")

    def __init__(self) -> None:
        self.linked = self.reported = self.kept = False
        self.told: dict[str, Told] = {}
        self.rest: dict[bool, Told] = {}
        self.noted: dict[str, Used] = {}

    def tell(self, span_id: str, told: Told) -> None:
        """Take what one inside tells; of very many, the first ones are added up."""
        if len(self.told) >= _CHILDREN and span_id not in self.told:
            first = self.told.pop(next(iter(self.told.copy())), None)
            if first is not None:  # else another thread has it
                self._add_up(first)
        self.told[span_id] = told

    def _add_up(self, told: Told) -> None:
        # What is taken out nobody else adds to meanwhile, so that no amount is lost.
        while True:
            other = self.rest.pop(told.describes, None)
            if other is not None:
                reported, kept = plus(other.reported, told.reported), plus(other.kept, told.kept)
                told = Told(told.describes, reported, kept)
            if self.rest.setdefault(told.describes, told) is told:
                return

    def all(self, describes: bool | None = None) -> tuple[Used | None, Used | None]:
        """Add up what is reported, and what is kept.

        Args:
            describes: True for the generations directly inside alone, False for all others.
        """
        reported: Used | None = None
        kept: Used | None = None
        # Another Langfuse client may export meanwhile.
        for told in (*self.told.values(), *self.rest.values()):
            if describes is None or told.describes is describes:
                reported, kept = plus(reported, told.reported), plus(kept, told.kept)
        return reported, kept


class Insides:
    """What is inside the latest observations.

    Args:
        open_limit: How many are kept that are not exported yet. The first to go are of the trace
            that was told of least recently.
        exported_limit: How many are kept that are exported.
    """

    def __init__(self, open_limit: int = _OPEN, exported_limit: int = _EXPORTED) -> None:
        self._limits = open_limit, exported_limit
        self._open: OrderedDict[str, OrderedDict[str, Inside]] = OrderedDict()
        self._count = 0
        self._exported: OrderedDict[SpanKey, str | None] = OrderedDict()
        self._of_exported: dict[SpanKey, Inside] = {}

    def find(self, place: SpanKey) -> Inside | None:
        """Return what is inside an observation, None where nothing is known of that."""
        found = self._open.get(place[0])
        inside = None if found is None else found.get(place[1])
        return inside or self._of_exported.get(place)

    def around(self, place: SpanKey) -> Inside:
        """Return what is inside an observation around one that is being exported."""
        if place in self._exported:
            return self._of_exported.setdefault(place, Inside())
        trace_id, span_id = place
        of_trace = self._open.setdefault(trace_id, OrderedDict())
        _to_end(self._open, trace_id)
        inside = of_trace.get(span_id)
        if inside is None:
            inside = of_trace.setdefault(span_id, Inside())
            self._count += 1
            self._trim()
        else:
            _to_end(of_trace, span_id)
        return inside

    def tell(self, place: SpanKey, span_id: str, told: Told) -> None:
        """Tell an observation what one inside used.

        Where it was exported before, all around it are told as well, up to the first that was not.
        """
        for _ in range(_DEPTH):
            inside = self.around(place)
            is_known = span_id in inside.told
            inside.tell(span_id, told)
            parent = self._exported.get(place)
            if is_known or parent is None:
                return
            place, told = (place[0], parent), told._replace(describes=False)

    def note_exported(self, place: SpanKey, parent: str | None) -> None:
        """Note that an observation was exported, and what is around it."""
        of_trace = self._open.get(place[0])
        inside = None if of_trace is None else of_trace.get(place[1])
        if inside is not None:
            self._of_exported[place] = inside
        elif place in self._exported:
            return  # by another client
        if inside is not None or parent is not None:
            self._exported[place] = parent
            if len(self._exported) > self._limits[1]:
                self._forget_exported()
        if of_trace is not None and of_trace.pop(place[1], None) is not None:
            self._count -= 1
            if not of_trace:
                self._open.pop(place[0], None)

    def gaps(self, trace_id: str, *known: str | None) -> Iterator[tuple[str, Inside]]:
        """Find observations of a trace that were not exported, and maybe never will be.

        Args:
            trace_id: The trace.
            known: Observations that are no gap.
        """
        found = self._open.get(trace_id)
        if found is not None and len(found) <= _GAPS:
            yield from (each for each in found.copy().items() if each[0] not in known)

    def clear(self) -> None:
        """Forget everything."""
        self._open.clear()
        self._exported.clear()
        self._of_exported.clear()
        self._count = 0

    def _trim(self) -> None:
        # Where another thread changes what is looked at here, the next one goes on.
        with suppress(KeyError, RuntimeError, StopIteration):
            while self._count > self._limits[0]:
                trace_id, oldest = next(iter(self._open.items()))
                if oldest:
                    oldest.popitem(last=False)
                    self._count -= 1
                if not oldest:
                    self._open.pop(trace_id, None)
        if not self._open:
            self._count = 0

    def _forget_exported(self) -> None:
        with suppress(KeyError):  # another thread was quicker
            place, _ = self._exported.popitem(last=False)
            self._of_exported.pop(place, None)


def _to_end(of: OrderedDict[str, Any], key: str) -> None:
    try:  # noqa: SIM105  (`suppress` takes ten times as long)
        of.move_to_end(key)
    except KeyError:
        pass  # another thread exported it


def plus(first: Used | None, second: Used | None) -> Used | None:
    """Add up two amounts, either of which may be none."""
    if first is None or second is None:
        return second if first is None else first
    return first + second


def added(*amounts: Used | None) -> Used:
    """Add up amounts, any of which may be none."""
    return sum((each for each in amounts if each is not None), NOTHING)


insides = Insides()
