"""Which of the client's observations describe a call that the gateway reports as well.

An adapter claims the usage of a call when it links it, and says when the answer is there. Only then
is it known that somebody else counts the call.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from opentelemetry import trace

from tracesplice._langfuse_usage import may_become_generation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span

    from tracesplice._link import Link

__all__ = ["REPORTS_HEADER", "Place", "Reported", "UsageClaim", "claim_usage", "reported"]

REPORTS_HEADER = "x-tracesplice-reports"
"""On an answer of a gateway with our adapter: "true" where the gateway reports this call."""

Place = tuple[str, str]
"""Trace id and span id, as lower-case hex."""

_LIMIT = 10_000  # observations that are not exported, for whatever reason, must not pile up


class Reported:
    """The observations of calls that got an answer, and whether the gateway reports them.

    Safe for any thread: calls are made in some, and observations are exported in another. It holds
    the latest ``limit`` observations.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._lock = Lock()
        self._known: dict[Place, bool] = {}

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


@dataclass(frozen=True)
class UsageClaim:
    """The client observations that describe one call, as far as they are known when it is made.

    Attributes:
        places: The call's own first.
    """

    places: tuple[Place, ...]

    def answered(self, headers: Mapping[str, str]) -> None:
        """Note that the gateway answered the call.

        Args:
            headers: The answer's, in a mapping that does not care for case.
        """
        # Without our adapter in the gateway nothing is said, and what is configured holds.
        says = str(headers.get(REPORTS_HEADER, "")).strip().lower()
        for place in self.places:
            reported.note(place, says != "false")


def claim_usage(link: Link, observation: Span | None = None) -> UsageClaim:
    """Claim the usage of a call that is about to be sent.

    Args:
        link: The call's link.
        observation: The span of its own client observation, as given to ``capture_link``.
    """
    if link.trace_id is None or link.parent_id is None or not link.is_sampled:
        return UsageClaim(())
    own = (link.trace_id, link.parent_id)
    around = _around(observation or trace.get_current_span(), link)
    return UsageClaim((own,) if around is None else (own, around))


def _around(span: Span, link: Link) -> Place | None:
    # What is around a generation may be exported before it, and then cannot be found from it.
    parent = getattr(span, "parent", None)
    own = trace.format_span_id(span.get_span_context().span_id)
    if parent is None or own != link.parent_id or not may_become_generation(_attributes(span)):
        return None
    return trace.format_trace_id(parent.trace_id), trace.format_span_id(parent.span_id)


def _attributes(span: Span) -> Mapping[str, object]:
    return getattr(span, "attributes", None) or {}
