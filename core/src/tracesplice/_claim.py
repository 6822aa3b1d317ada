"""Claims the usage of a call when it is linked, and settles who counts it when it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry import trace

from tracesplice._ambient import attributes
from tracesplice._calls import Place, calls
from tracesplice._current import current_observation
from tracesplice._places import counts_usage, place_of, places_of
from tracesplice_wire import warn_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span

    from tracesplice._link import Link

__all__ = ["REPORTS_HEADER", "UsageClaim", "claim_usage"]

REPORTS_HEADER = "x-tracesplice-reports"
"""On an answer of a gateway with our adapter: "true" where the gateway reports this call."""

_TWICE = (
    "tracesplice: calls count twice in Langfuse, once as your application reports them and once as "
    "the gateway does. Make your Langfuse client, before anything else gets it, with "
    "Langfuse(mask_otel_spans=tracesplice.count_usage_once()); or with "
    'count_usage_once(owner="client") if the gateway does not report to Langfuse.'
)


@dataclass(frozen=True)
class UsageClaim:
    """The client observations that describe one call, as far as they are known when it is made.

    Attributes:
        places: The call's own first.
        observation: The span of the call's own, where it is in this process.
        expected: Whether the gateway is to report the call, as far as the request says.
    """

    places: tuple[Place, ...]
    observation: Span | None = None
    expected: bool = True

    @property
    def is_generation(self) -> bool:
        """Whether the call's own says what was used, so that Langfuse counts it."""
        return self.observation is not None and counts_usage(self.observation)

    def answered(self, headers: Mapping[str, str]) -> None:
        """Note that the gateway answered the call.

        Args:
            headers: The answer's, in a mapping that does not care for case and joins the values of
                one name with commas. Of an answer that came from elsewhere give
                ``{REPORTS_HEADER: "false"}``: nobody knows who counts it.
        """
        reports = self._reports(headers)
        calls.answered(self.places, reports)
        if reports and not calls.is_used and self.is_generation:
            warn_once("usage:twice", _TWICE)

    def _reports(self, headers: Mapping[str, str]) -> bool:
        said = str(headers.get(REPORTS_HEADER) or "").lower().split(",")
        says = {value.strip() for value in said} - {""}
        # Without our adapter in the gateway nothing is said, and what is configured holds. Where
        # the values contradict each other nobody says zero.
        return says == {"true"} if says else self.expected


def claim_usage(
    link: Link, observation: Span | None = None, *, expected: bool = True
) -> UsageClaim:
    """Claim the usage of a call that is about to be sent.

    Until it is answered it counts as failed: an observation that says nothing was used says so.

    Args:
        link: The call's link.
        observation: The span of its own client observation, as given to ``capture_link``.
        expected: Whether the gateway is to report the call, as far as the request says.
    """
    if link.trace_id is None or link.parent_id is None or not link.is_sampled:
        return UsageClaim(())
    own = (link.trace_id, link.parent_id)
    span = observation or current_observation()
    known = span if place_of(span.get_span_context()) == own else None
    places = (
        (own,)
        if known is None
        else places_of(own, known, attributes(known), trace.get_current_span())
    )
    calls.sent(places)
    return UsageClaim(places, known, expected)
