"""The one place that knows LiteLLM's field names: a link as a gateway reads it.

LiteLLM's ``langfuse`` callback joins a trace by the ids in the body, its two OpenTelemetry modes by
the ``traceparent`` header alone, so a request carries both. Source of the names:
https://docs.litellm.ai/docs/observability/langfuse_integration and
https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse.py.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tracesplice._gateway import Gateway
from tracesplice_wire import header_values, warn_once

if TYPE_CHECKING:
    from tracesplice._link import Link

__all__ = ["CONTAINER", "Injection", "calls_model", "inject", "request_headers", "request_metadata"]

CONTAINER = "litellm_metadata"
"""LiteLLM's own metadata field: it leaves OpenAI's ``metadata`` parameter to the caller."""

_TRACEPARENT = "traceparent"
_PROJECT = "x-tracesplice-project"
_NO_LOG = "no-log"
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "prompt": Mapping,
    "tags": (list, tuple),
    "trace_tags": (list, tuple),
    "trace_metadata": Mapping,
}
_IDS = ("existing_trace_id", "trace_id", "parent_observation_id")
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")
_W3C = re.compile(rf"00-({_TRACE_ID.pattern})-({_SPAN_ID.pattern})-([0-9a-f]{{2}})")


@dataclass(frozen=True)
class Injection:
    """What to put into one request; the caller's own objects are left as they are.

    Attributes:
        body: Body fields to set; the caller's entries of such a field are in it.
        headers: Headers to add.
        reported: Whether the caller lets the gateway report the call
            (https://docs.litellm.ai/docs/proxy/logging, ``no-log``).
    """

    body: Mapping[str, Any]
    headers: Mapping[str, str]
    reported: bool = True


def calls_model(path: str) -> bool:
    """Return whether a request's path or URL is one of a route that calls a model."""
    return Gateway.calls_model(path)


def request_metadata(link: Link) -> dict[str, Any]:
    """Encode ``link`` as the content of ``CONTAINER``; a new JSON-safe dict, empty for no link."""
    found: dict[str, Any] = {
        "existing_trace_id": link.trace_id,
        "parent_observation_id": link.parent_id,
        "trace_name": link.trace_name,
        "trace_user_id": link.user_id,
        "session_id": link.session_id,
        "tags": list(link.tags),
        "trace_environment": link.environment,
        "version": link.version,
        "trace_metadata": dict(link.metadata),
    }
    if link.prompt is not None:
        # Without the empty text LiteLLM rejects the prompt.
        found["prompt"] = {"name": link.prompt.name, "version": link.prompt.version, "prompt": ""}
    if link.trace_id is not None:
        found.update(_onto_existing_trace(link))
    elif link.session_id is not None:
        # Without an id the `langfuse` callback takes the session's as the trace's: all calls of a
        # session would share one trace.
        found["trace_id"] = secrets.token_hex(16)
    return {key: value for key, value in found.items() if value}


def request_headers(link: Link) -> dict[str, str]:
    """Encode where ``link`` belongs, empty for no trace.

    Returns:
        W3C ``traceparent`` (https://www.w3.org/TR/trace-context/) and, where it is known, which
        Langfuse project the trace is in.
    """
    if link.trace_id is None:
        return {}
    parent_id = link.parent_id or _no_parent(link.trace_id)
    place = {_TRACEPARENT: f"00-{link.trace_id}-{parent_id}-{link.trace_flags:02x}"}
    return place if link.project is None else {**place, _PROJECT: link.project}


def _no_parent(trace_id: str) -> str:
    # The header must name one; the gateway adapter knows this one for none.
    return trace_id[:16] if _SPAN_ID.fullmatch(trace_id[:16]) else trace_id[16:]


def inject(
    link: Link,
    path: str,
    body: Mapping[str, Any] | None,
    headers: Mapping[str, object],
    *,
    form: bool = False,
) -> Injection | None:
    """Work out what to add to a request so that it carries ``link``.

    What the caller wrote wins, key by key, and ids the caller wrote are carried in both the body
    and the header, so that a trace set by hand is joined in every gateway mode.

    Args:
        link: The link.
        path: The request's path or URL.
        body: Its JSON body or form fields, as far as the caller wrote them; None where there is
            nothing that fields can be added to.
        headers: Its headers, those of the client included; of two spellings the later one counts.
        form: Whether the body goes out as a multipart form.

    Returns:
        None where ``path`` is no route that calls a model.
    """
    if not calls_model(path):
        return None
    own_header = _own_header(headers)
    theirs = None if body is None else _mapping(body, "metadata")
    container = None if body is None else _mapping(body, CONTAINER)
    reported = body is None or body.get(_NO_LOG) is not True
    if container is None or theirs is None:
        return Injection({}, _added_headers(link, own_header), reported)
    written = {**container, **_for_the_gateway(theirs)}  # LiteLLM: `metadata` goes before CONTAINER
    if written or own_header is not None:
        link = _as_written(link, written, own_header)
    ours = request_metadata(link)
    if "trace_id" in written:
        ours.pop("existing_trace_id", None)  # the caller starts a trace of that id
    if "existing_trace_id" in written:
        ours.pop("trace_id", None)  # the caller joins one, by an id that only the gateway reads
    added = {key: value for key, value in ours.items() if key not in written}
    fields = _field({**added, **container}, form) if added else {}
    return Injection(fields, _added_headers(link, own_header), reported)


def _added_headers(link: Link, own_header: str | None) -> dict[str, str]:
    return request_headers(link) if own_header is None else {}


def _for_the_gateway(theirs: Mapping[str, Any]) -> Mapping[str, Any]:
    # OpenAI's `metadata` holds texts of the caller's own, which say nothing to LiteLLM: a `prompt`
    # that is a name, `tags` with commas, an id that is not there.
    ours = theirs.keys() & {*_KINDS, *_IDS}
    other = {key for key in ours if not isinstance(theirs[key], _KINDS.get(key, str))}
    other |= {key for key in ours.intersection(_IDS) if not theirs[key]}
    return {key: value for key, value in theirs.items() if key not in other} if other else theirs


def _field(metadata: dict[str, Any], form: bool) -> dict[str, Any]:
    # LiteLLM reads a form's metadata as JSON text, not as the bracketed fields the SDK would write.
    return {CONTAINER: json.dumps(metadata) if form else metadata}


def _onto_existing_trace(link: Link) -> dict[str, Any]:
    # A joined trace takes user, session and tags from these keys only, and only where the gateway
    # has langfuse_enable_update_trace_keys; elsewhere they do nothing.
    values = {
        "trace_user_id": link.user_id,
        "trace_session_id": link.session_id,
        "trace_tags": list(link.tags),
    }
    present = {key: value for key, value in values.items() if value}
    return {**present, "update_trace_keys": list(present)}


def _as_written(link: Link, written: Mapping[str, Any], own_header: str | None) -> Link:
    """Put the caller's values in place of the link's, so that related keys agree."""
    if own_header is not None:
        link = _at_header(link, own_header)
    return replace(
        _at_ids(link, written),
        user_id=_text(written, "trace_user_id") or link.user_id,
        session_id=_text(written, "session_id", "trace_session_id") or link.session_id,
        tags=_list(written, "tags", "trace_tags") or link.tags,
    )


def _at_header(link: Link, header: str) -> Link:
    match = _W3C.fullmatch(header.strip())
    if match is None:
        return link
    trace_id, parent_id, flags = match.groups()
    return replace(
        link, trace_id=trace_id, parent_id=parent_id, trace_flags=int(flags, 16), project=None
    )


def _at_ids(link: Link, written: Mapping[str, Any]) -> Link:
    trace_id = _text(written, "existing_trace_id", "trace_id")
    parent_id = _text(written, "parent_observation_id")
    if trace_id is not None and trace_id != link.trace_id:
        # Our parent is an observation of another trace.
        known = trace_id if _TRACE_ID.fullmatch(trace_id) else None
        link = replace(link, trace_id=known, parent_id=None, project=None)
    if parent_id is not None and _SPAN_ID.fullmatch(parent_id):
        link = replace(link, parent_id=parent_id)
    return link


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


def _own_header(headers: Mapping[str, object]) -> str | None:
    # Of two spellings the later one is the caller's last word; to take it away is a word, too.
    values = header_values(headers, _TRACEPARENT)
    if not values:
        return None
    texts = [value for value in values if value is not None]
    return texts[-1] if texts else ""
