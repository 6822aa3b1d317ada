"""Carriers: the link of this place as a few texts, and the way on from there."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from opentelemetry import baggage, trace
from opentelemetry import context as otel_context
from opentelemetry.context import Context

from tracesplice._captured import EXPERIMENT, carrier_of_this_place
from tracesplice._errors import TracespliceError
from tracesplice._here import BAGGAGE, PROPAGATED, TRACE_ID
from tracesplice._kit import in_context
from tracesplice._observation import RemoteObservation
from tracesplice_wire import (
    MAX_CARRIER,
    Link,
    decode_carrier,
    guarded,
    no_parent,
    shown_kind,
    warn_once,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

__all__ = ["Resumed", "capture", "resume"]

_NO_CARRIER = (
    "%s is no carrier of tracesplice.capture(): %s. Pass on the dict that it returned, as it is."
)


def capture() -> dict[str, str]:
    """Capture the link of this place, to go on from it elsewhere: see ``resume``.

    Returns:
        A new dict of texts, at most 4 kB as JSON: W3C ``traceparent`` and ``baggage``, and two
        entries of ours. What does not fit, beginning with metadata, is left out and logged once.
    """
    return _captured() or {}


@guarded("what a carrier would have carried")
def _captured() -> dict[str, str]:
    return carrier_of_this_place()


def resume(carrier: Mapping[str, str] | None, *, strict: bool = False) -> Resumed:
    """Go on from where a carrier was captured: ``with tracesplice.resume(carrier): ...``.

    Inside, observations and calls belong to its trace, under the observation that was current
    there, with its user, session, tags, prompt and so on. What is ambient outside does not apply
    inside, and applies again after it. Also for ``async with``.

    Args:
        carrier: What ``capture`` returned, also by way of JSON; or headers with ``traceparent`` and
            the ``baggage`` of a program on Langfuse's SDK. If it is anything else, or not complete,
            what is inside belongs to no trace, and that is logged.
        strict: Raise an error in that case.

    Raises:
        TracespliceError: It is no carrier, and ``strict``.
    """
    try:
        return _resumed(carrier)
    except Exception as error:  # noqa: BLE001  (of a mapping of somebody else's)
        reason = str(error) if type(error) is ValueError else type(error).__name__
        kind = shown_kind(carrier)
        if strict:
            raise TracespliceError(_NO_CARRIER % (kind, reason)) from None
        said = f"tracesplice: {_NO_CARRIER} The calls inside are not linked."
        warn_once("carrier", said, kind, reason)
        return Resumed(Link(), {})


class Resumed:
    """A context manager that goes on from a place; in several threads and tasks at once, too.

    Args:
        link: The link of that place.
        entries: What was ambient there for Langfuse, by its names.
    """

    def __init__(self, link: Link, entries: Mapping[str, str]) -> None:
        self.link = link
        self._values = _values(link, entries)
        self._outside = f"tracesplice.outside.{id(self):x}"
        self._span = _span(link)
        # Most often nothing is around, as in a worker.
        self._alone = self._inside(Context())

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a trace nor anything that is ambient."""
        return self.link.trace_id is None and not self._values

    def context(self) -> Context:
        """Return the current context, with what belongs to Langfuse replaced."""
        outside = otel_context.get_current()
        return self._inside(outside) if outside else self._alone

    def __enter__(self) -> None:
        # What is to come back is in the context itself: a token can be used in its own only, and an
        # asynchronous generator may be closed in another.
        outside = otel_context.get_current()
        otel_context.attach(Context({**self.context(), self._outside: outside}))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        outside: Any = otel_context.get_value(self._outside)
        if outside is not None:
            otel_context.attach(outside)

    def _inside(self, outside: Context) -> Context:
        context = _bare(outside)
        if self.link.trace_id is not None:
            context = baggage.set_baggage(TRACE_ID, self.link.trace_id, context)
        return trace.set_span_in_context(self._span, Context({**context, **self._values}))

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)


def _resumed(carrier: object) -> Resumed:
    # The tasks of one request all carry the same. What is kept has a bound: the headers of another
    # program are as long as they like.
    if type(carrier) is dict:
        with suppress(TypeError):  # of what is no text
            if len("".join((*carrier, *carrier.values()))) <= MAX_CARRIER:
                return _kept(tuple(carrier.items()))
    return _read(carrier)


@lru_cache(maxsize=256)
def _kept(texts: tuple[tuple[str, str], ...]) -> Resumed:
    return _read(dict(texts))


def _read(carrier: object) -> Resumed:
    carried = decode_carrier(carrier)
    return Resumed(carried.link, carried.entries)


def _bare(context: Context) -> Context:
    """Return ``context`` without what is ambient in it for Langfuse."""
    carried = baggage.get_all(context)
    kept = {name: value for name, value in context.items() if not name.startswith(PROPAGATED)}
    bare = Context(kept)
    for name in carried:
        if name.startswith(BAGGAGE):
            bare = baggage.remove_baggage(name, bare)
    return bare


def _values(link: Link, entries: Mapping[str, str]) -> dict[str, Any]:
    """Return what Langfuse's own context has where all of this is ambient."""
    from langfuse import propagate_attributes

    said: dict[str, Any] = {
        "user_id": link.user_id,
        "session_id": link.session_id,
        "tags": list(link.tags),
        "trace_name": link.trace_name,
        "environment": link.environment,
        "version": link.version,
        "metadata": dict(link.metadata),
        "prompt": link.prompt and link.prompt._asdict(),
    }
    with in_context(Context()), propagate_attributes(**{k: v for k, v in said.items() if v}):
        context = otel_context.get_current()
    values = {name: value for name, value in context.items() if name.startswith(PROPAGATED)}
    experiment = {name: text for name, text in entries.items() if name.startswith(EXPERIMENT)}
    return values | {f"{PROPAGATED}{name}": text for name, text in experiment.items()}


def _span(link: Link) -> trace.Span:
    if link.trace_id is None:
        return trace.INVALID_SPAN
    parent_id = link.parent_id or no_parent(link.trace_id)
    context = trace.SpanContext(
        int(link.trace_id, 16),
        int(parent_id, 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(link.trace_flags),
    )
    return RemoteObservation(context, link.project)
