"""The careful way to a linked request: for a caller who wrote metadata or ``traceparent`` himself.

What the caller wrote takes precedence, key by key, and ids that he wrote are carried in both the
body and the header, so that a trace set by hand is joined in every gateway mode.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tracesplice_wire import (
    CONTAINER,
    PARENT_ID,
    TRACE_ID,
    Link,
    decode_traceparent,
    encode_headers,
    encode_metadata,
    span_id,
    warn_once,
)
from tracesplice_wire import (
    trace_id as valid_trace_id,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CALLERS", "merged"]

CALLERS = frozenset({"metadata", CONTAINER})
"""Fields of a body that may say what a link says."""

_NEW_TRACE_ID = "trace_id"
_IDS = frozenset({TRACE_ID, _NEW_TRACE_ID, PARENT_ID})
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "prompt": Mapping,
    "tags": (list, tuple),
    "trace_tags": (list, tuple),
    "trace_metadata": Mapping,
}


def merged(
    link: Link, body: Mapping[str, Any] | None, traceparents: Sequence[str | None]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Merge ``link`` into what a caller wrote.

    Args:
        link: The call's link.
        body: The body's fields, None where there is nothing that fields can be added to.
        traceparents: The values of that header, each in a spelling of its own.

    Returns:
        What ``CONTAINER`` is to hold, empty where it stays as it is; and the headers to add.
    """
    metadata = None if body is None else _mapping(body, "metadata")
    container = None if body is None else _mapping(body, CONTAINER)
    if container is None or metadata is None:
        return {}, {} if traceparents else encode_headers(link)
    # LiteLLM: `metadata` goes first.
    first = {key: value for key, value in metadata.items() if _is_for_the_gateway(key, value)}
    written = {**container, **first}
    link = _with_callers(link, written, traceparents)
    ours = encode_metadata(link)
    if _NEW_TRACE_ID in written:
        ours.pop(TRACE_ID, None)  # the caller starts a trace of that id
    if TRACE_ID in written:
        ours.pop(_NEW_TRACE_ID, None)  # the caller joins one, by an id that only the gateway reads
    added = {key: value for key, value in ours.items() if key not in written}
    headers = {} if traceparents else encode_headers(link)
    return {**added, **container} if added else {}, headers


def _is_for_the_gateway(key: str, value: object) -> bool:
    # OpenAI's `metadata` holds texts of the caller's own, which say nothing to LiteLLM: a `prompt`
    # that is a name, `tags` with commas, an id that is not there.
    if key in _IDS:
        return isinstance(value, str) and value != ""
    return isinstance(value, _KINDS.get(key, object))


def _with_callers(
    link: Link, written: Mapping[str, Any], traceparents: Sequence[str | None]
) -> Link:
    """Put the caller's values in place of the link's, so that related keys agree."""
    # Of two spellings the later one is the caller's last word.
    texts = [each for each in traceparents if each is not None]
    place = decode_traceparent(texts[-1]) if texts else None
    if place is not None:
        link = link._replace(**place._asdict(), project=None)
    return _at_ids(link, written)._replace(
        user_id=_text(written, "trace_user_id") or link.user_id,
        session_id=_text(written, "session_id", "trace_session_id") or link.session_id,
        tags=_list(written, "tags", "trace_tags") or link.tags,
    )


def _at_ids(link: Link, written: Mapping[str, Any]) -> Link:
    trace_id = _text(written, TRACE_ID, _NEW_TRACE_ID)
    parent_id = _text(written, PARENT_ID)
    if trace_id is not None and trace_id != link.trace_id:
        # Our parent is an observation of another trace.
        link = link._replace(trace_id=valid_trace_id(trace_id), parent_id=None, project=None)
    return link if span_id(parent_id) is None else link._replace(parent_id=parent_id)


def _mapping(body: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    value = body.get(key)
    if value is None:
        return {}
    read = _parsed(value) if isinstance(value, str) else value
    if isinstance(read, Mapping):
        return read
    warn_once(
        "container",
        "tracesplice: `%s` of a request is a %s, neither a dict nor its JSON text, so the call "
        "went out without prompt, user, session and tags. Pass a dict; in a form, JSON text.",
        key,
        type(value).__name__,
    )
    return None


def _parsed(text: str) -> object:
    # As the gateway does, for forms and for JSON bodies.
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _text(written: Mapping[str, Any], *keys: str) -> str | None:
    values = (written.get(key) for key in keys)
    return next((value for value in values if isinstance(value, str) and value), None)


def _list(written: Mapping[str, Any], *keys: str) -> tuple[str, ...]:
    values = (written.get(key) for key in keys)
    return next((tuple(value) for value in values if isinstance(value, (list, tuple))), ())
