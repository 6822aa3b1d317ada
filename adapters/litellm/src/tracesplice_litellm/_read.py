"""Reads the link of a request, most trusted source first: its body, then its headers.

What the client put into the body it put there for this gateway. Headers may come from elsewhere:
OpenTelemetry's instrumentation of httpx replaces ``traceparent`` by a span of its own, which
Langfuse does not store, and proxies strip it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tracesplice_litellm import _values
from tracesplice_litellm._baggage import langfuse_baggage, tag_list, traceparent
from tracesplice_litellm._link import Link, Place, PromptRef

__all__ = ["containers", "read_link", "request_headers"]

Sources = tuple[Mapping[str, Any], ...]
"""What may hold the client's metadata, most trusted first."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})

_TEXTS: Mapping[str, Callable[[object], str | None]] = {
    "existing_trace_id": _values.trace_id,
    "trace_id": _values.text,
    "parent_observation_id": _values.span_id,
    "trace_user_id": _values.text,
    "trace_session_id": _values.text,
    "session_id": _values.text,
    "trace_name": _values.text,
    "trace_environment": _values.environment,
    "version": _values.text,
    "generation_name": _values.text,
}


def containers(data: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the two places of a LiteLLM request that may hold the client's metadata."""
    return _mapping(data.get("metadata")), _mapping(data.get("litellm_metadata"))


def request_headers(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the client's headers, as LiteLLM keeps them."""
    return _mapping(_mapping(data.get("proxy_server_request")).get("headers"))


def read_link(data: Mapping[str, Any]) -> Link:
    """Read and check the link of a request.

    Args:
        data: The request as LiteLLM hands it to ``async_pre_call_hook``.
    """
    headers = request_headers(data)
    # LiteLLM lets its own headers of this kind go before the body.
    named = {key[9:]: headers[key] for key in headers if key.startswith("langfuse_")}
    body = tuple(filter(None, (named, *containers(data))))
    baggage = langfuse_baggage(headers)
    sent = traceparent(headers)
    texts = _texts(body)
    joined = texts.get("existing_trace_id")
    started = None if joined is not None else _started(texts.get("trace_id"), sent)
    trace_id = joined if started is None else _values.trace_id(started)
    return Link(
        place=_place(sent, trace_id, texts.get("parent_observation_id")),
        header=sent,
        sampled=_sampled(sent, joined, baggage) if started is None else None,
        starts_trace=started is not None,
        prompt=_prompt(body, baggage),
        user_id=texts.get("trace_user_id") or _values.text(baggage.get("user_id")),
        session_id=texts.get("trace_session_id")
        or texts.get("session_id")
        or _values.text(baggage.get("session_id")),
        tags=_tags(body, baggage),
        trace_name=texts.get("trace_name") or _values.text(baggage.get("trace_name")),
        environment=texts.get("trace_environment")
        or _values.environment(baggage.get("environment")),
        version=texts.get("version") or _values.text(baggage.get("version")),
        trace_metadata=_trace_metadata(body, baggage),
        generation_name=texts.get("generation_name"),
    )


def _texts(body: Sources) -> dict[str, str]:
    # One pass without a call for what is not there: this is in every request's way.
    return {
        key: value
        for source in reversed(body)
        for key, check in _TEXTS.items()
        if (value := source.get(key)) is not None and check(value) is not None
    }


def _started(trace_id: str | None, sent: Place | None) -> str | None:
    # LiteLLM writes the header's trace id there, too.
    return None if sent is not None and trace_id == sent.trace_id else trace_id


def _place(sent: Place | None, trace_id: str | None, parent_id: str | None) -> Place | None:
    if sent is None:
        return None if trace_id is None else Place(trace_id, parent_id)
    if trace_id is None or trace_id == sent.trace_id:
        # A parent without a trace is one of the header's trace.
        return Place(sent.trace_id, parent_id or sent.parent_id, sent.sampled)
    return Place(trace_id, parent_id)


def _sampled(sent: Place | None, joined: str | None, baggage: Mapping[str, str]) -> bool | None:
    if sent is None or (joined is None and not baggage):
        # A header alone may be of a service mesh that samples its own traces.
        return None
    return sent.sampled if joined in (None, sent.trace_id) else None


def _prompt(body: Sources, baggage: Mapping[str, str]) -> PromptRef | None:
    for source in body:
        written = _mapping(source.get("prompt"))
        found = _prompt_ref(written.get("name"), written.get("version"))
        if found is not None:
            return found
    return _prompt_ref(baggage.get("prompt_name"), baggage.get("prompt_version"))


def _prompt_ref(name: object, version: object) -> PromptRef | None:
    checked, number = _values.text(name), _values.prompt_version(version)
    return None if checked is None or number is None else PromptRef(checked, number)


def _tags(body: Sources, baggage: Mapping[str, str]) -> tuple[str, ...]:
    sent: list[object] = []
    for key in ("trace_tags", "tags"):  # LiteLLM adds those of the key and the team to `tags`
        for source in body:
            tags = source.get(key)
            if isinstance(tags, list):
                sent += tags
    return _values.tags(sent) or _values.tags(tag_list(baggage.get("tags", "")))


def _trace_metadata(body: Sources, baggage: Mapping[str, str]) -> Mapping[str, str]:
    found = next((source["trace_metadata"] for source in body if "trace_metadata" in source), None)
    if found is None:
        found = {key[9:]: baggage[key] for key in baggage if key.startswith("metadata_")}
    return _values.texts(found) if found else _NOTHING


def _mapping(value: object) -> Mapping[str, Any]:
    # LiteLLM's are plain ones; to ask for any kind of mapping takes ten times as long.
    return value if isinstance(value, dict) else _NOTHING
