"""Reads the link of a request, most trusted source first: its body, then its headers.

What the client put into the body it put there for this gateway. Headers may come from elsewhere:
OpenTelemetry's instrumentation of httpx replaces ``traceparent`` by a span of its own, which
Langfuse does not store, and proxies strip it. Each value is judged alone: a bad one gives way to
the next source's and takes no other along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from tracesplice_litellm import _values
from tracesplice_litellm._baggage import langfuse_baggage, tag_list
from tracesplice_litellm._defaults import END_USER
from tracesplice_litellm._link import Link, PromptRef
from tracesplice_litellm._place import read_place
from tracesplice_litellm._project import reports_to

__all__ = ["logged", "read_link", "request_headers"]

Sources = tuple[Mapping[str, Any], ...]
"""What may hold the client's metadata, most trusted first."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})

_TEXTS: Mapping[str, Callable[[object], str | None]] = {
    "existing_trace_id": _values.text,
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


def request_headers(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the client's headers, as LiteLLM keeps them."""
    return _mapping(_mapping(data.get("proxy_server_request")).get("headers"))


def logged(data: Mapping[str, Any]) -> str:
    """Return the name of the field that LiteLLM reports from.

    The other of the two, where there is one, is the provider's: OpenAI's and Anthropic's own
    ``metadata`` on ``/responses``, ``/v1/messages``, files and batches.
    """
    # It is the one LiteLLM wrote the key's owner into. On chat, before 1.99, the client's
    # `litellm_metadata` stays there although it was merged into the other.
    metadata = data.get("metadata")
    if isinstance(metadata, dict) and "user_api_key_auth" in metadata:
        return "metadata"
    return "litellm_metadata" if "litellm_metadata" in data else "metadata"


def read_link(data: Mapping[str, Any], configured_tags: Iterable[object] = ()) -> Link:
    """Read and check the link of a request.

    Args:
        data: The request as LiteLLM hands it to ``async_pre_call_hook``.
        configured_tags: What the gateway adds to the client's own.
    """
    headers = request_headers(data)
    # LiteLLM lets its own headers of this kind go before the body.
    named = _after("langfuse_", headers)
    body = tuple(filter(None, (named, *_containers(data))))
    baggage = langfuse_baggage(headers)
    texts = _texts(body)
    same_project = reports_to(data, headers)
    at = read_place(texts, headers, baggage, data.get("litellm_trace_id"), same_project)
    return Link(
        place=at.place,
        header=at.header,
        sampled=at.sampled,
        starts_trace=at.starts_trace,
        same_project=same_project,
        # A name says something in its own project only.
        prompt=None if same_project is False else _prompt(body, baggage),
        user_id=texts.get("trace_user_id")
        or _values.text(baggage.get("user_id"))
        or _values.text(_mapping(data.get(logged(data))).get(END_USER)),
        session_id=texts.get("trace_session_id")
        or texts.get("session_id")
        or _values.text(baggage.get("session_id")),
        tags=_tags(body, baggage, configured_tags),
        trace_name=texts.get("trace_name") or _values.text(baggage.get("trace_name")),
        environment=texts.get("trace_environment")
        or _values.environment(baggage.get("environment")),
        version=texts.get("version") or _values.text(baggage.get("version")),
        trace_metadata=_trace_metadata(body, baggage),
        generation_name=texts.get("generation_name"),
    )


def _containers(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    sent = _mapping(_mapping(data.get("proxy_server_request")).get("body"))
    yield _mapping(data.get("metadata"))
    yield _mapping(data.get("litellm_metadata"))
    # On chat LiteLLM merges the second into the first, where a key of the provider's own covers it.
    yield _mapping(sent.get("litellm_metadata"))


def _texts(body: Sources) -> dict[str, str]:
    # One pass without a call for what is not there: this is in every request's way.
    return {
        key: value
        for source in reversed(body)
        for key, check in _TEXTS.items()
        if (value := source.get(key)) is not None and check(value) is not None
    }


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


def _tags(
    body: Sources, baggage: Mapping[str, str], configured: Iterable[object]
) -> tuple[str, ...]:
    own = _values.tags(_lists(body, "trace_tags")) or _values.tags(
        tag_list(baggage.get("tags", ""))
    )
    # LiteLLM adds those of the key and the team to `tags`.
    return _values.tags([*own, *_values.tags(_lists(body, "tags")), *configured])


def _lists(body: Sources, key: str) -> Iterator[object]:
    for source in body:
        if isinstance(value := source.get(key), (list, tuple)):
            yield from value


def _trace_metadata(body: Sources, baggage: Mapping[str, str]) -> Mapping[str, str]:
    for source in body:
        if found := _values.texts(source.get("trace_metadata")):
            return found
    return _values.texts(_after("metadata_", baggage))


def _after(prefix: str, source: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(prefix): source[key] for key in source if key.startswith(prefix)}


def _mapping(value: object) -> Mapping[str, Any]:
    # LiteLLM's are plain ones; to ask for any kind of mapping takes ten times as long.
    return value if isinstance(value, dict) else _NOTHING
