"""Carriers: the link of this place as a few texts, and the way on from there."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from opentelemetry import baggage, trace
from opentelemetry import context as otel_context
from opentelemetry.context import Context

from tracesplice._captured import EXPERIMENT, captured_here
from tracesplice._contexts import enter, in_context, leave
from tracesplice._errors import TracespliceError
from tracesplice._observation import RemoteObservation
from tracesplice._said import BAGGAGE, PROPAGATED, TRACE_ID
from tracesplice_wire import (
    MAX_CARRIER,
    Link,
    decode_carrier,
    fault,
    shown_kind,
    warn_once,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

__all__ = ["Resumed", "capture", "capture_text", "resume", "resume_text"]

_LOST = "what a carrier would have carried"
_NO_CARRIER = (
    "%s is no carrier of tracesplice.capture(): %s. Pass on the dict that it returned, as it is."
)


def capture() -> dict[str, str]:
    """Capture the link of this place, to go on from it elsewhere: see ``resume``.

    Returns:
        A new dict of texts, at most 4 kB as JSON: W3C ``traceparent`` and ``baggage``, and two
        entries of ours. What does not fit, beginning with metadata, is left out and logged once.
    """
    try:
        return captured_here().carrier.copy()
    except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
        fault(f"{__name__}.capture", _LOST)
        return {}


def capture_text() -> str | None:
    """Capture the link of this place as one text, to go on from it by ``resume_text``.

    Where much is handed out, a text is less work for a queue than a dict.

    Returns:
        JSON of what ``capture`` returns; None where there is nothing to go on from.
    """
    try:
        return captured_here().text
    except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
        fault(f"{__name__}.capture_text", _LOST)
        return None


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
        return Resumed(_place(carrier))
    except ValueError as error:
        said = _NO_CARRIER % (shown_kind(carrier), error)
        if strict:
            raise TracespliceError(said) from None
        return _nowhere(carrier, error)
    except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
        fault(f"{__name__}.resume", _LOST)
        return Resumed(Place(Link(), {}))


def resume_text(text: str) -> Resumed:
    """Go on from where a text was captured, as ``resume`` does from a carrier.

    Args:
        text: What ``capture_text`` returned. Of anything else the same is logged.
    """
    try:
        return Resumed(_place_of_text(text))
    except ValueError as error:
        return _nowhere(text, error)
    except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
        fault(f"{__name__}.resume_text", _LOST)
        return Resumed(Place(Link(), {}))


class Resumed:
    """A context manager that goes on from a place; in several threads and tasks at once, too.

    Args:
        place: The place.
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    @property
    def link(self) -> Link:
        """The link of the place."""
        return self._place.link

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a trace nor anything that is ambient."""
        return self._place.is_empty

    def context(self) -> Context:
        """Return the current context, with what belongs to Langfuse replaced."""
        return self._place.inside(otel_context.get_current())

    def __enter__(self) -> None:
        outside = otel_context.get_current()
        enter(self._place.inside(outside), outside, self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        leave(self)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        leave(self)


class Place:
    """A place to go on from, which the tasks of one request share.

    Args:
        link: The link of that place.
        entries: What was ambient there for Langfuse, by its names.
    """

    def __init__(self, link: Link, entries: Mapping[str, str]) -> None:
        self.link = link
        self._values = _values(link, entries)
        self._span = _span(link)
        # Most often nothing is around, as in a worker.
        self._alone = self._replaced(Context())

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a trace nor anything that is ambient."""
        return self.link.trace_id is None and not self._values

    def inside(self, outside: Context) -> Context:
        """Return ``outside``, with what belongs to Langfuse replaced."""
        return self._replaced(outside) if outside else self._alone

    def _replaced(self, outside: Context) -> Context:
        context = _bare(outside)
        if self.link.trace_id is not None:
            context = baggage.set_baggage(TRACE_ID, self.link.trace_id, context)
        return trace.set_span_in_context(self._span, Context({**context, **self._values}))


def _place(carrier: object) -> Place:
    # The tasks of one request all carry the same. What is kept has a bound: the headers of another
    # program are as long as they like.
    if type(carrier) is dict:
        with suppress(TypeError):  # of what is no text
            if len("".join((*carrier, *carrier.values()))) <= MAX_CARRIER:
                return _kept(tuple(carrier.items()))
    return _read(carrier)


@lru_cache(maxsize=256)
def _kept(texts: tuple[tuple[str, str], ...]) -> Place:
    return _read(dict(texts))


@lru_cache(maxsize=256)
def _place_of_text(text: str) -> Place:
    if len(text) > MAX_CARRIER:
        raise ValueError("it is too long")
    try:
        carrier = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None
    return _read(carrier)


def _nowhere(carrier: object, error: ValueError) -> Resumed:
    said = f"tracesplice: {_NO_CARRIER} The calls inside are not linked."
    warn_once("carrier", said, shown_kind(carrier), error)
    return Resumed(Place(Link(), {}))


def _read(carrier: object) -> Place:
    try:
        carried = decode_carrier(carrier)
    except ValueError:
        raise
    except Exception as error:  # of a mapping of somebody else's
        raise ValueError(type(error).__name__) from error
    return Place(carried.link, carried.entries)


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
    values = _propagated({name: value for name, value in said.items() if value})
    experiment = {name: text for name, text in entries.items() if name.startswith(EXPERIMENT)}
    return values | {f"{PROPAGATED}{name}": text for name, text in experiment.items()}


def _propagated(said: dict[str, Any]) -> dict[str, Any]:
    if not said:
        return {}
    from langfuse import propagate_attributes

    with in_context(Context()), propagate_attributes(**said):
        context = otel_context.get_current()
    return {name: value for name, value in context.items() if name.startswith(PROPAGATED)}


def _span(link: Link) -> trace.Span:
    if link.trace_id is None or link.parent_id is None:
        return trace.INVALID_SPAN
    context = trace.SpanContext(
        int(link.trace_id, 16),
        int(link.parent_id, 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(link.trace_flags),
    )
    return RemoteObservation(context, link.project)
