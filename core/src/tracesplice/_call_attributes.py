"""The attributes of a call: user, session, tags, prompt and the like, checked and encoded."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tracesplice._plain import MAX_READ, Plain, Unsendable, plain
from tracesplice_wire import (
    MAX_ENTRIES,
    MAX_LENGTH,
    MAX_VERSION,
    PROJECT,
    Link,
    encode_metadata,
    environment,
    pairs,
    prompt_ref,
    shown,
    shown_kind,
    tags,
    text,
    warn_once,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.trace import Span

    from tracesplice._calls import SpanKey
    from tracesplice_wire import PromptRef

__all__ = ["CallAttributes", "Here", "checked_prompt", "encoded", "in_environment"]


class CallAttributes(NamedTuple):
    """The attributes of calls, which they share.

    Attributes:
        link: The attributes, in no trace.
        fields: The link as ``CONTAINER`` holds it, in any trace: each call puts its own ids there.
        headers: Its headers beside ``traceparent``.
    """

    link: Link
    fields: Mapping[str, Any]
    headers: Mapping[str, str]


class Here(NamedTuple):
    """The place where a call is made.

    Attributes:
        attributes: What is ambient there, or on the span.
        trace_id: 32 lower-case hex digits, None where no trace is open.
        parent_id: The observation to nest under, 16 lower-case hex digits, or None.
        trace_flags: W3C trace flags.
        places: The observations that describe the call, the own one first; none where the trace is
            not sampled.
        generation: The span of the own one, if it may be a generation.
    """

    attributes: CallAttributes
    trace_id: str | None = None
    parent_id: str | None = None
    trace_flags: int = 1
    places: tuple[SpanKey, ...] = ()
    generation: Span | None = None


_PAIR = 2
_ANY_TRACE, _ANY_PARENT = "a" * 32, "a" * 16
_TAKES_ENVIRONMENT = "1 to 40 of a-z, 0-9, - and _, not beginning with langfuse"


def encoded(values: Mapping[str, Plain], project: str | None) -> CallAttributes:
    """Return the attributes that can be sent; log once each value that is left out.

    Args:
        values: What was found, by the names that ``langfuse.propagate_attributes`` has for it.
        project: The Langfuse project that the observation is in, as ``project_of`` says it.
    """
    prompt, get = None, values.get
    if (name := get("prompt_name")) is not None:
        prompt = checked_prompt(name, get("prompt_version"))
    link = Link(
        prompt=prompt,
        user_id=_valid("user_id", get("user_id")),
        session_id=_valid("session_id", get("session_id")),
        tags=_tags(get("tags")),
        trace_name=_valid("trace_name", get("trace_name")),
        environment=_valid("environment", get("environment"), environment, _TAKES_ENVIRONMENT),
        version=_valid("version", get("version")),
        metadata=_metadata(get("metadata")),
        project=project,
    )
    return _shared(link)


@lru_cache(maxsize=256)
def in_environment(link: Link, value: str) -> CallAttributes:
    """Return the attributes of ``link``, in an environment if it is a valid one."""
    valid = _valid("environment", plain(value), environment, _TAKES_ENVIRONMENT)
    return _shared(link._replace(environment=valid))


def _shared(link: Link) -> CallAttributes:
    headers = {} if link.project is None else {PROJECT: link.project}
    placed = link._replace(trace_id=_ANY_TRACE, parent_id=_ANY_PARENT)
    return CallAttributes(link, encode_metadata(placed), headers)


def checked_prompt(name: Plain, version: Plain) -> PromptRef | None:
    """Return the reference to a prompt; say once where Langfuse would not link it."""
    ref = prompt_ref(name, version)
    if ref is None:
        warn_once(
            "prompt",
            "tracesplice: prompt %s has version %s and was not linked; Langfuse links integers "
            "from 1 to %d only, of prompts with a name of at most 200 characters. Use the prompt "
            "that langfuse.get_prompt returned.",
            _kind(name) if text(name) is None else shown(name),
            version.shown if isinstance(version, Unsendable) else shown(version),
            MAX_VERSION,
        )
    return ref


def _valid(
    key: str,
    value: Plain,
    check: Callable[[Plain], str | None] = text,
    takes: str = f"text of 1 to {MAX_LENGTH} characters",
) -> str | None:
    found = check(value)
    if found is None and value is not None:
        warn_once(
            f"value:{key}",
            "tracesplice: %s, %s, was left out; Langfuse takes %s.",
            key,
            _kind(value),
            takes,
        )
    return found


def _tags(value: Plain) -> tuple[str, ...]:
    values = value if type(value) is tuple else (value,)
    found = [each for each in values if _valid("tags", each) is not None]
    if len(values) == MAX_READ or len({*found}) > MAX_ENTRIES:
        warn_once("tags", "tracesplice: of many tags the first %d were sent.", MAX_ENTRIES)
    return tags(found)


def _metadata(entries: Plain) -> tuple[tuple[str, str], ...]:
    if type(entries) is not tuple:
        return ()
    if not all(type(each) is tuple and len(each) == _PAIR for each in entries):
        return ()
    for entry in entries[:MAX_ENTRIES]:
        for each in entry:
            _valid("metadata", each)
    if len(entries) > MAX_ENTRIES:
        warn_once("metadata", "tracesplice: of much metadata %d entries were sent.", MAX_ENTRIES)
    return pairs(entries)


def _kind(value: Plain) -> str:
    return value.shown if isinstance(value, Unsendable) else shown_kind(value)
