"""Claims the usage of a call when it is linked, and settles who counts it when it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from tracesplice._ambient import attributes
from tracesplice._current import current_observation
from tracesplice._langfuse_usage import is_generation, may_become_generation
from tracesplice._report import warn_once
from tracesplice._reported import Place, reported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.trace import Span, SpanContext

    from tracesplice._link import Link

__all__ = [
    "REPORTS_HEADER",
    "UsageClaim",
    "claim_usage",
    "note_foreign_call",
    "nothing_used",
]

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
        return self.observation is not None and _is_generation(self.observation)

    def answered(self, headers: Mapping[str, str]) -> None:
        """Note that the gateway answered the call.

        Args:
            headers: The answer's, in a mapping that does not care for case and joins the values of
                one name with commas. Of an answer that came from elsewhere give
                ``{REPORTS_HEADER: "false"}``: nobody knows who counts it.
        """
        reports = self._reports(headers)
        for place in self.places:
            reported.at(place).answered(reports)
        if reports and not reported.is_used and self.is_generation:
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
    known = span if _place(span) == own else None
    places = (own,) if known is None else (own, *_around(known))
    reported.at(own).own = True
    for place in places:
        reported.at(place).linked = True
    return UsageClaim(places, known, expected)


def nothing_used(span: Span) -> None:
    """Note that the generation ``span`` stands for no request, so that it used nothing.

    Args:
        span: The span of one that an answer from a framework's own cache is reported by.
    """
    context = span.get_span_context()
    if context.is_valid and context.trace_flags.sampled:
        reported.at(_place(span)).answered(True)


def note_foreign_call(observation: Span | None = None) -> None:
    """Note a model call that carries no link: its usage is for the client to count.

    A generation around it and around calls through the gateway keeps its figures.

    Args:
        observation: The span of the call's own client observation, where an adapter knows it.
    """
    span = observation or current_observation()
    if span.get_span_context().is_valid and may_become_generation(attributes(span)):
        for place in (_place(span), *_around(span)):
            reported.at(place).kept = True


def _around(span: Span) -> Iterator[Place]:
    # What is around a generation may be exported before it, and then cannot be found from it.
    outer = _parent_of_generation(span)
    if outer is None:
        return
    yield outer
    current = trace.get_current_span()
    if current is not span and _place(current) == outer:
        outer = _parent_of_generation(current)
        if outer is not None:
            yield outer


def _parent_of_generation(span: Span) -> Place | None:
    parent = getattr(span, "parent", None)
    if parent is None or not may_become_generation(attributes(span)):
        return None
    return _place_of(parent)


def _place(span: Span) -> Place:
    return _place_of(span.get_span_context())


def _place_of(context: SpanContext) -> Place:
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)


def _is_generation(span: Any) -> bool:
    from langfuse.span_filter import is_known_llm_instrumentor

    said = attributes(span)
    if is_generation(said):
        return True
    if getattr(span, "instrumentation_scope", None) is None:
        return False
    return may_become_generation(said) and bool(is_known_llm_instrumentor(span))
