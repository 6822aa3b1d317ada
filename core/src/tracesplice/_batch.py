"""A batch of observations that is exported: in which order they are settled, and who is told."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tracesplice._langfuse_types import is_generation, is_record
from tracesplice._langfuse_usage import says_usage
from tracesplice._observation import SDK_SCOPE
from tracesplice_wire import fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langfuse.types import OtelSpanData

    from tracesplice._calls import SpanKey

__all__ = ["UNREAD", "Batch"]

UNREAD = "the zeros on an observation, whose usage may count twice"
"""What is lost with an observation that cannot be read; no other loses its zeros by it."""


class Batch:
    """Observations that are exported together.

    Args:
        spans: Their spans, mostly those inside others first.
    """

    def __init__(self, spans: Mapping[SpanKey, OtelSpanData]) -> None:
        self._spans = spans
        self._parents: dict[SpanKey, SpanKey | None] = {}
        self._counted: set[SpanKey] = set()
        self._notes: set[SpanKey] = set()
        self._is_in_order = True
        for place, span in spans.items():
            parent = span.parent_span_id
            outer = self._parents[place] = (place[0], parent) if parent else None
            if outer in self._parents:
                self._is_in_order = False
            try:
                said, is_users = span.attributes, span.instrumentation_scope_name == SDK_SCOPE
                says = says_usage(said, is_users)
                if says or is_generation(said):
                    self._counted.add(place)
                    if says and not is_users and is_record(said):
                        self._notes.add(place)
            except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
                fault(f"{__name__}.Batch", UNREAD)

    def counts(self, place: SpanKey) -> bool:
        """Return whether Langfuse counts what an observation used, or may do so."""
        return place in self._counted

    def around(self, place: SpanKey) -> SpanKey | None:
        """Return what is around an observation, and is to be told of it; None where nothing is.

        It need not be in the batch. The user's own say what they like, whatever is inside them.
        """
        outer = direct = self._parents[place]
        while outer is not None and outer in self._spans:
            is_users = self._spans[outer].instrumentation_scope_name == SDK_SCOPE
            if not is_users or outer in self._counted:
                return direct
            outer = self._parents[outer]
        return None if outer is None else direct

    def inside_out(self) -> list[SpanKey]:
        """Put them in order, each before the one around it, and notes after what is beside them."""
        if self._is_in_order and not self._notes:
            return list(self._spans)
        unsettled: Counter[SpanKey | None] = Counter()
        notes: defaultdict[SpanKey | None, list[SpanKey]] = defaultdict(list)
        for place in self._spans:
            if place in self._notes:
                notes[self._parents[place]].append(place)
            else:
                unsettled[self._parents[place]] += 1
        settled: list[SpanKey] = []
        ready = [each for each in self._spans if not unsettled[each] and each not in self._notes]
        for place in ready:  # grows meanwhile
            settled += (*notes.pop(place, ()), place)
            outer = self._parents[place]
            unsettled[outer] -= 1
            if outer in self._spans and outer is not None and not unsettled[outer]:
                ready.append(outer)
        for left in notes.values():
            settled += left
        return settled
