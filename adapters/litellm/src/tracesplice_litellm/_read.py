"""Reads the link of a request, most trusted source first: its body, then its headers.

What the client put into the body it put there for this gateway. Headers may come from elsewhere:
OpenTelemetry's instrumentation of httpx replaces ``traceparent`` by a span of its own, which
Langfuse does not store, and proxies strip it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tracesplice_litellm import _values
from tracesplice_litellm._baggage import langfuse_baggage, tag_list, traceparent
from tracesplice_litellm._link import Link, Place, PromptRef

__all__ = ["containers", "read_link", "request_headers"]

Sources = tuple[Mapping[str, Any], ...]
"""What may hold the client's metadata, most trusted first."""

_NOTHING: Mapping[str, Any] = {}


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
    starts_trace = _starts_trace(body, sent)
    return Link(
        place=_place(body, sent, starts_trace),
        header=sent,
        starts_trace=starts_trace,
        prompt=_prompt(body, baggage),
        user_id=_text(body, "trace_user_id") or _values.text(baggage.get("user_id")),
        session_id=_text(body, "trace_session_id", "session_id")
        or _values.text(baggage.get("session_id")),
        tags=_tags(body, baggage),
        trace_name=_text(body, "trace_name") or _values.text(baggage.get("trace_name")),
        environment=_values.environment(baggage.get("environment")),
        generation_name=_text(body, "generation_name"),
    )


def _starts_trace(body: Sources, sent: Place | None) -> bool:
    if _first(body, _values.trace_id, "existing_trace_id") is not None:
        return False
    # LiteLLM writes the header's trace id there, too.
    trace_id = _text(body, "trace_id")
    return trace_id is not None and (sent is None or trace_id != sent.trace_id)


def _place(body: Sources, sent: Place | None, starts_trace: bool) -> Place | None:
    trace_id = _first(body, _values.trace_id, "existing_trace_id")
    if trace_id is None and starts_trace:
        trace_id = _first(body, _values.trace_id, "trace_id")
    parent_id = _first(body, _values.span_id, "parent_observation_id")
    if sent is None:
        return None if trace_id is None else Place(trace_id, parent_id)
    if trace_id is None or trace_id == sent.trace_id:
        # A parent without a trace is one of the header's trace.
        return replace(sent, parent_id=parent_id or sent.parent_id)
    return Place(trace_id, parent_id, sent.sampled)


def _prompt(body: Sources, baggage: Mapping[str, str]) -> PromptRef | None:
    written = (_mapping(source.get("prompt")) for source in body)
    named = ((prompt.get("name"), prompt.get("version")) for prompt in written)
    carried = (baggage.get("prompt_name"), baggage.get("prompt_version"))
    for name, version in (*named, carried):
        checked, number = _values.text(name), _values.prompt_version(version)
        if checked is not None and number is not None:
            return PromptRef(checked, number)
    return None


def _tags(body: Sources, baggage: Mapping[str, str]) -> tuple[str, ...]:
    # LiteLLM adds those of the key and the team to `tags`.
    written = (source.get(key) for key in ("trace_tags", "tags") for source in body)
    merged = [tag for tags in written if tags for tag in _values.tags(tags)]
    return _values.tags(merged or tag_list(baggage.get("tags", "")))


def _text(body: Sources, *keys: str) -> str | None:
    return _first(body, _values.text, *keys)


def _first(body: Sources, check: Callable[[object], str | None], *keys: str) -> str | None:
    for key in keys:
        for source in body:
            written = source.get(key)
            value = None if written is None else check(written)
            if value is not None:
                return value
    return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else _NOTHING
