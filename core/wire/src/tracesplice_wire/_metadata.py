"""The body field of a request that carries a link, in the words of LiteLLM.

LiteLLM's ``langfuse`` callback joins a trace by the ids in the body, its two OpenTelemetry modes by
the ``traceparent`` header alone, so a request carries both. Source of the names:
https://docs.litellm.ai/docs/observability/langfuse_integration and
https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse.py.
"""

from __future__ import annotations

import secrets
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tracesplice_wire import _limits
from tracesplice_wire._link import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tracesplice_wire._link import PromptRef

__all__ = ["CONTAINER", "PARENT_ID", "TEXTS", "TRACE_ID", "decode_metadata", "encode_metadata"]

CONTAINER = "litellm_metadata"
"""LiteLLM's own metadata field: it leaves OpenAI's ``metadata`` parameter to the caller."""

TRACE_ID = "existing_trace_id"
"""In it: the trace to join."""

PARENT_ID = "parent_observation_id"
"""In it: the observation of that trace to nest under."""

TEXTS: tuple[tuple[str, str, Callable[[object], str | None]], ...] = (
    ("trace_id", TRACE_ID, _limits.trace_id),
    ("parent_id", PARENT_ID, _limits.span_id),
    ("user_id", "trace_user_id", _limits.text),
    ("session_id", "trace_session_id", _limits.text),
    ("session_id", "session_id", _limits.text),
    ("trace_name", "trace_name", _limits.text),
    ("environment", "trace_environment", _limits.environment),
    ("version", "version", _limits.text),
)
"""Field of a link, its name in the metadata, its check; of two names the first valid counts."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def encode_metadata(link: Link) -> dict[str, Any]:
    """Encode ``link`` as the content of ``CONTAINER``; a new JSON-safe dict, empty for no link."""
    found: dict[str, Any] = {
        TRACE_ID: link.trace_id,
        PARENT_ID: link.parent_id,
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
        found["prompt"] = link.prompt.metadata
    if link.trace_id is not None:
        found.update(_onto_existing_trace(link))
    elif link.session_id is not None:
        # Without an id the `langfuse` callback takes the session's as the trace's: all calls of a
        # session would share one trace.
        found["trace_id"] = secrets.token_hex(16)
    return {key: value for key, value in found.items() if value}


def decode_metadata(
    body: Sequence[Mapping[str, Any]], baggage: Mapping[str, Any] = _NOTHING
) -> Link:
    """Decode the link in the metadata of a request, each value for itself.

    Args:
        body: What may hold it, most trusted first: a value that is not valid gives way to the next
            one's.
        baggage: What ``decode_baggage`` found, for what the body does not say.

    Returns:
        The link; where it belongs is None where the body does not say it.
    """
    sources = (*body, baggage)
    found: dict[str, Any] = {}
    for field, key, check in TEXTS:
        if field in found:
            continue
        # Without a call for what is not there: this is in every request's way.
        for source in sources:
            if (value := source.get(key)) is not None and (checked := check(value)) is not None:
                found[field] = checked
                break
    return Link(
        **found, prompt=_prompt(sources), tags=_tags(body, baggage), metadata=_pairs(sources)
    )


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


def _prompt(sources: Iterable[Mapping[str, Any]]) -> PromptRef | None:
    for source in sources:
        if isinstance(written := source.get("prompt"), dict):
            version = _limits.number(written.get("version"))
            found = _limits.prompt_ref(written.get("name"), version)
            if found is not None:
                return found
    return None


def _tags(body: Iterable[Mapping[str, Any]], baggage: Mapping[str, Any]) -> tuple[str, ...]:
    own: list[object] = []
    others: list[object] = []  # LiteLLM adds those of the key and the team to `tags`
    for source in body:
        for key, written in (("trace_tags", own), ("tags", others)):
            if isinstance(value := source.get(key), (list, tuple)):
                written += value
    found = _limits.tags(own) or _limits.tags(baggage.get("trace_tags", ()))
    return _limits.tags([*found, *others]) if others else found


def _pairs(sources: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    for source in sources:
        value = source.get("trace_metadata")
        if isinstance(value, dict) and (found := _limits.pairs(value.items())):
            return found
    return ()
