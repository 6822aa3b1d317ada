"""The body field of a request that carries a link, in the words of LiteLLM.

LiteLLM's ``langfuse`` callback joins a trace by the ids in the body, its two OpenTelemetry modes by
the ``traceparent`` header alone, so a request carries both. Source of the names:
https://docs.litellm.ai/docs/observability/langfuse_integration and
https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse.py.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tracesplice_wire import _limits
from tracesplice_wire._link import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tracesplice_wire._link import PromptRef

__all__ = ["CONTAINER", "decode_metadata", "encode_metadata"]

CONTAINER = "litellm_metadata"
"""LiteLLM's own metadata field: it leaves OpenAI's ``metadata`` parameter to the caller."""

# Where a value of a link stands; the first valid one counts.
_TEXTS: Mapping[str, tuple[tuple[str, ...], Callable[[object], str | None]]] = {
    "trace_id": (("existing_trace_id",), _limits.trace_id),
    "parent_id": (("parent_observation_id",), _limits.span_id),
    "user_id": (("trace_user_id",), _limits.text),
    "session_id": (("trace_session_id", "session_id"), _limits.text),
    "trace_name": (("trace_name",), _limits.text),
    "environment": (("trace_environment",), _limits.environment),
    "version": (("version",), _limits.text),
}


def encode_metadata(link: Link) -> dict[str, Any]:
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


def decode_metadata(sources: Iterable[Mapping[str, Any]]) -> Link:
    """Decode the link in the metadata of a request, each value for itself.

    Args:
        sources: What may hold it, most trusted first: a value that is not valid gives way to the
            next source's.

    Returns:
        The link; where it belongs is None where that is not said.
    """
    sources = tuple(sources)
    texts: dict[str, Any] = {
        name: found
        for name, (keys, check) in _TEXTS.items()
        if (found := _first(check, keys, sources)) is not None
    }
    return Link(**texts, prompt=_prompt(sources), tags=_tags(sources), metadata=_pairs(sources))


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


def _first(
    check: Callable[[object], str | None],
    keys: Iterable[str],
    sources: tuple[Mapping[str, Any], ...],
) -> str | None:
    for key in keys:
        for source in sources:
            if (value := source.get(key)) is not None and (found := check(value)) is not None:
                return found
    return None


def _prompt(sources: Iterable[Mapping[str, Any]]) -> PromptRef | None:
    for source in sources:
        if isinstance(written := source.get("prompt"), Mapping):
            version = _limits.number(written.get("version"))
            found = _limits.prompt_ref(written.get("name"), version)
            if found is not None:
                return found
    return None


def _tags(sources: tuple[Mapping[str, Any], ...]) -> tuple[str, ...]:
    return _limits.tags(tag for key in ("trace_tags", "tags") for tag in _listed(sources, key))


def _listed(sources: Iterable[Mapping[str, Any]], key: str) -> Iterator[object]:
    for source in sources:
        if isinstance(value := source.get(key), (list, tuple)):
            yield from value


def _pairs(sources: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    for source in sources:
        if isinstance(value := source.get("trace_metadata"), Mapping):
            return _limits.pairs(value.items())
    return ()
