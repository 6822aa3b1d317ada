"""The link of a request: what to add to it, and what its answer says of who counts it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracesplice._as_written import CALLERS, merged
from tracesplice._calls import calls
from tracesplice._here import here
from tracesplice._places import counts_usage
from tracesplice_wire import (
    CONTAINER,
    PARENT_ID,
    REPORTS,
    TRACE_ID,
    TRACEPARENT,
    TRACEPARENT_FORMAT,
    Link,
    header_values,
    warn_once,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span

    from tracesplice._call_attributes import Here
    from tracesplice._calls import SpanKey

__all__ = ["LinkedRequest", "capture_link", "link_request"]

_TWICE = (
    "tracesplice: calls count twice in Langfuse, once as your application reports them and once as "
    "the gateway does. Make your Langfuse client, before anything else gets it, with "
    "Langfuse(mask_otel_spans=tracesplice.count_usage_once()); or with "
    'count_usage_once(owner="client") if the gateway does not report to Langfuse.'
)


# LiteLLM's switch for a call that is not to be reported: https://docs.litellm.ai/docs/proxy/logging
_NO_LOG = "no-log"


@dataclass(eq=False, slots=True)
class LinkedRequest:
    """What a request carries, and what waits for its answer.

    Calls share what is in it, so it is not to be changed.

    Attributes:
        body: Fields to set in the body; the caller's entries of such a field are in it.
        headers: Headers to add.
    """

    body: Mapping[str, Any]
    headers: Mapping[str, str]
    _places: tuple[SpanKey, ...]
    _generation: Span | None
    _expected: bool

    def answered(self, headers: Mapping[str, str] | None) -> None:
        """Note that the call was answered without an error, and who counts it.

        Args:
            headers: The answer's, in a mapping that does not care for case and joins the values of
                one name with commas. None where the answer came from elsewhere, after a redirect
                say: nobody knows who counts it.
        """
        span = self._generation
        if span is None and not calls.is_used:
            return  # nobody asks
        says = "false" if headers is None else headers.get(REPORTS)
        # Without our adapter in the gateway nothing is said, and what is configured holds.
        reports = self._expected if not says else _is_true(says)
        if calls.is_used:
            calls.answered(self._places, reports)
        elif reports and counts_usage(span):
            warn_once("usage:twice", _TWICE)


def link_request(
    written: Mapping[str, Any] | None,
    headers: Mapping[str, object],
    *,
    observation: Span | None = None,
    link: Link | None = None,
    form: bool = False,
) -> LinkedRequest:
    """Link a request that is about to be sent; what its caller wrote takes precedence.

    Until it is answered it counts as failed: an observation that says nothing was used says so.

    Args:
        written: Its JSON body or form fields, as far as the caller wrote them; None where there is
            nothing that fields can be added to.
        headers: Its headers, as far as callers wrote them; of two spellings the later one counts.
        observation: The span of the call's own client observation, where an adapter knows it;
            else the call belongs to ``current_observation()``.
        link: A link captured before; by default that of here and now.
        form: Whether the body goes out as a multipart form.
    """
    at = here(observation)
    by_hand = header_values(headers, TRACEPARENT) if headers else []
    is_written = bool(by_hand or (written and not CALLERS.isdisjoint(written)))
    fields: Mapping[str, Any]
    added: Mapping[str, str]
    attributes, trace_id, parent_id, trace_flags, places, generation = at
    if link is not None or is_written or trace_id is None:
        fields, added = merged(link or _link_of(at), written, by_hand)
    else:
        _, common, others = attributes
        fields = {**common, TRACE_ID: trace_id, PARENT_ID: parent_id}
        added = {TRACEPARENT: TRACEPARENT_FORMAT % (trace_id, parent_id, trace_flags), **others}
    body: Mapping[str, Any] = {}
    if fields and written is not None:
        # LiteLLM reads a form's metadata as JSON text, not as the bracketed fields of an SDK.
        body = {CONTAINER: json.dumps(fields) if form else fields}
    if link is not None:
        places, generation = _captured(link, at)
    expected = written is None or written.get(_NO_LOG) is not True
    if calls.is_used:
        calls.sent(places)
        # An HTTP client may keep a request that was cancelled, and with it all that rides on it.
        generation = None
    return LinkedRequest(body, added, places, generation, expected)


def capture_link(observation: Span | None = None) -> Link:
    """Capture the link of a call that is about to be sent from the current context.

    Args:
        observation: The span of the call's own client observation, where an adapter knows it;
            else the call belongs to ``current_observation()``.

    Returns:
        The link; without trace and parent where no span is open.
    """
    return _link_of(here(observation))


def _link_of(at: Here) -> Link:
    if at.trace_id is None:
        return at.attributes.link._replace(project=None)
    return at.attributes.link._replace(
        trace_id=at.trace_id, parent_id=at.parent_id, trace_flags=at.trace_flags
    )


def _captured(link: Link, at: Here) -> tuple[tuple[SpanKey, ...], Span | None]:
    trace_id, parent_id = link.trace_id, link.parent_id
    if (trace_id, parent_id) == (at.trace_id, at.parent_id):
        return at.places, at.generation
    if trace_id is None or parent_id is None or not link.is_sampled:
        return (), None
    return ((trace_id, parent_id),), None


def _is_true(says: str) -> bool:
    # Where the values contradict each other nobody reports zero.
    return {value.strip() for value in says.lower().split(",")} - {""} == {"true"}
