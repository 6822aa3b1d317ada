"""Reads the link of a request, and checks it.

Most trusted is the body: what the client put there it put there for this gateway. Headers may come
from elsewhere: OpenTelemetry's instrumentation of httpx replaces ``traceparent`` by a span of its
own, which Langfuse does not store, and proxies strip it. Each value is judged alone: a bad one
gives way to the next source's and takes no other along.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from tracesplice_litellm._place import Places, find_places, first_text, in_project
from tracesplice_wire import (
    TRACEPARENT,
    Link,
    decode_baggage,
    decode_metadata,
    decode_project,
    decode_traceparent,
    tags,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping, Sequence

__all__ = ["AUTH", "END_USER", "NAMED", "Parts", "Request", "read_request"]

AUTH = "user_api_key_auth"
"""LiteLLM's name for whose key it is: what has it is LiteLLM's own metadata."""

END_USER = "user_api_key_end_user_id"
"""LiteLLM's name for who ``user`` or a header of the request is."""

NAMED = "langfuse_"
"""How headers begin that LiteLLM itself takes for metadata of the rest of their name."""

_SAID = frozenset({"x-litellm-session-id", "x-litellm-trace-id", f"{NAMED}session_id"})


class Request(NamedTuple):
    """What the gateway knows of a request; None, or empty, is what was not sent or is not valid.

    Attributes:
        link: What the client sent. Where the call is reported to another project than its trace is
            in, it has neither trace nor prompt.
        places: Where that is, for each mode.
        same_project: Whether its trace is in the project this call is reported to.
        generation_name: What the gateway generation is to be called.
        written: What of the link was written into the metadata that LiteLLM reports from.
    """

    link: Link = Link()
    places: Places = Places()
    same_project: bool | None = None
    generation_name: str | None = None
    written: Mapping[str, Any] = MappingProxyType({})


class Parts(NamedTuple):
    """Where in a request something stands.

    Attributes:
        reported: The metadata that LiteLLM reports from.
        headers: The client's headers.
        named: Those of them that LiteLLM itself takes for metadata.
        body: What may hold the client's metadata, most trusted first.
    """

    reported: dict[str, Any]
    headers: dict[str, Any]
    named: list[str]
    body: Sequence[Mapping[str, Any]]


def read_request(
    data: MutableMapping[str, Any], tag_keys: Iterable[str] = (), tag_headers: Iterable[str] = ()
) -> tuple[Parts, Request]:
    """Read and check the link of a request.

    Args:
        data: The request as LiteLLM hands it to ``async_pre_call_hook``; gets the metadata that
            LiteLLM reports from, where it has none.
        tag_keys: Keys of that metadata that the gateway reports as tags.
        tag_headers: Headers that it reports as tags.
    """
    parts = _parts(data)
    # On a trace that exists already, LiteLLM in mode `langfuse` reports none of them.
    reported, headers = parts.reported, parts.headers
    configured = [f"{key}:{reported[key]}" for key in tag_keys if key in reported]
    configured += [f"{key}: {headers[key]}" for key in tag_headers if headers.get(key)]
    return parts, _read(data, parts, configured)


def _parts(data: MutableMapping[str, Any]) -> Parts:
    # LiteLLM's mappings are plain ones; to ask for any kind takes ten times as long.
    server = data.get("proxy_server_request")
    server = server if isinstance(server, dict) else {}
    headers, sent = server.get("headers"), server.get("body")
    headers = headers if isinstance(headers, dict) else {}
    named = [name for name in headers if name.startswith(NAMED)]
    sources = (
        # LiteLLM lets its own headers of this kind go before the body.
        {name.removeprefix(NAMED): headers[name] for name in named} if named else None,
        data.get("metadata"),
        data.get("litellm_metadata"),
        # On chat LiteLLM merges it into the first, where a key of the provider's own covers it.
        sent.get("litellm_metadata") if isinstance(sent, dict) else None,
    )
    name = _reported_field(data)
    if not isinstance(data.get(name), dict):
        data[name] = {}
    body = [each for each in sources if each and isinstance(each, dict)]
    return Parts(data[name], headers, named, body)


def _reported_field(data: Mapping[str, Any]) -> str:
    # The other of the two, where there is one, is the provider's: OpenAI's and Anthropic's own
    # `metadata` on `/responses`, `/v1/messages`, files and batches. LiteLLM reports the one that it
    # wrote the key's owner into. On chat, before 1.99, the client's `litellm_metadata` stays there
    # although it was merged into the other.
    metadata = data.get("metadata")
    if isinstance(metadata, dict) and AUTH in metadata:
        return "metadata"
    return "litellm_metadata" if "litellm_metadata" in data else "metadata"


def _read(data: Mapping[str, Any], parts: Parts, configured_tags: list[str]) -> Request:
    headers = parts.headers
    baggage = decode_baggage(headers.get("baggage"))
    link = decode_metadata(parts.body, baggage)
    project = decode_project(headers)
    same_project = in_project(project, data.get("litellm_logging_obj"))
    if same_project is False:
        places, prompt = Places(), None  # a name says something in its own project only
    else:
        header, prompt = decode_traceparent(headers.get(TRACEPARENT)), link.prompt
        litellm_trace_id = data.get("litellm_trace_id")
        places = find_places(
            parts.body, link, header, litellm_trace_id, from_langfuse=bool(baggage)
        )
    trace_id, parent_id, flags = places.joined or (None, None, 1)
    link = link._replace(
        trace_id=trace_id,
        parent_id=parent_id,
        trace_flags=flags,
        prompt=prompt,
        user_id=link.user_id or text(parts.reported.get(END_USER)),
        session_id=_session(data, parts, link),
        tags=tags([*link.tags, *configured_tags]) if configured_tags else link.tags,
        project=project,
    )
    return Request(link, places, same_project, first_text(parts.body, "generation_name"))


def _session(data: Mapping[str, Any], parts: Parts, link: Link) -> str | None:
    # LiteLLM takes the session of a tool that calls (`x-claude-code-session-id` and its like, or in
    # Anthropic's own user) for the call's, and it would go before what the baggage says:
    # https://github.com/BerriAI/litellm/blob/main/litellm/proxy/litellm_pre_call_utils.py
    # (`add_litellm_metadata_from_request_headers`).
    found, headers = link.session_id, parts.headers
    if found is None or found != data.get("litellm_session_id") or _SAID & headers.keys():
        return found
    own = data.get("metadata")
    user = own.get("user_id") if isinstance(own, dict) else None
    if found not in headers.values() and found not in str(user):
        return found
    return decode_metadata((), decode_baggage(headers.get("baggage"))).session_id or found
