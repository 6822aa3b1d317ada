"""W3C ``baggage`` as Langfuse's SDKs write it: of a link, and read as the metadata it stands for.

https://www.w3.org/TR/baggage/ and
https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/propagation.py. LiteLLM in
mode ``langfuse`` may run without OpenTelemetry's packages, so its propagators are not used.
"""

from __future__ import annotations

import ast
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tracesplice_wire._link import Link

__all__ = ["baggage_entries", "baggage_metadata", "decode_baggage", "encode_baggage", "tag_list"]

_PREFIX = "langfuse_"
_METADATA = "metadata_"
_MAX_HEADER = 8_192  # characters; the specification's own limit for baggage
_NOTHING: Mapping[str, Any] = MappingProxyType({})

# Langfuse's name without its prefix, and LiteLLM's.
_KEYS = {
    "user_id": "trace_user_id",
    "session_id": "session_id",
    "trace_name": "trace_name",
    "environment": "trace_environment",
    "version": "version",
}


def decode_baggage(value: object) -> Mapping[str, Any]:
    """Return what a ``baggage`` header has for Langfuse, in the words of ``encode_metadata``.

    Nothing of it is checked; ``decode_metadata`` does that.
    """
    said = baggage_entries(value)
    return baggage_metadata(said) if said else _NOTHING


def baggage_entries(value: object) -> dict[str, str]:
    """Return what a ``baggage`` header has for Langfuse, by Langfuse's names without prefix."""
    said: dict[str, str] = {}
    if not isinstance(value, str):
        return said
    for member in _members(value):
        name, _, text = member.partition(";")[0].partition("=")
        # OpenTelemetry's propagators quote the names, too: those of metadata are the user's.
        key = unquote_plus(name.strip())
        if key.startswith(_PREFIX):
            said[key.removeprefix(_PREFIX)] = unquote_plus(text.strip())
    return said


def _members(value: str) -> list[str]:
    if len(value) > _MAX_HEADER:
        # Without the last one: it may be cut off, and half an id could be another user's.
        value = value[: _MAX_HEADER + 1].rpartition(",")[0]
    return value.split(",")


def encode_baggage(link: Link, more: Mapping[str, str], room: int) -> tuple[str, tuple[str, ...]]:
    """Encode all of ``link`` but its place as a ``baggage`` header.

    Args:
        link: The link.
        more: Further entries, by Langfuse's names without prefix.
        room: Characters that it may have; what matters most goes first.

    Returns:
        The header, and the names of what did not fit.
    """
    members: list[str] = []
    left_out: list[str] = []
    for name, found in _said(link, more):
        added = [f"{_PREFIX}{quote(key, safe='')}={quote(text, safe='')}" for key, text in found]
        size = len(",".join(added)) + 1
        if size <= room:
            members += added
            room -= size
        else:
            left_out.append(name)
    return ",".join(members), tuple(left_out)


def _said(link: Link, more: Mapping[str, str]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    if link.prompt is not None:
        name, version = link.prompt
        yield "prompt", [("prompt_name", name), ("prompt_version", str(version))]
    single = {
        "user_id": link.user_id,
        "session_id": link.session_id,
        "environment": link.environment,
        "tags": _tag_text(link.tags) if link.tags else None,
        "trace_name": link.trace_name,
        "version": link.version,
        **more,
    }
    for field, value in single.items():
        if value is not None:
            yield field, [(field, value)]
    for key, value in link.metadata:
        yield "metadata", [(f"{_METADATA}{key}", value)]


def _tag_text(tags: tuple[str, ...]) -> str:
    joined = ",".join(tags)
    # With commas, as Langfuse's SDK for JavaScript does, unless that is not what comes back.
    return joined if tuple(tag_list(joined)) == tags else str(list(tags))


def baggage_metadata(said: Mapping[str, str]) -> dict[str, Any]:
    """Return what ``baggage_entries`` found, in the words of ``encode_metadata``; unchecked."""
    found: dict[str, Any] = {_KEYS[name]: text for name, text in said.items() if name in _KEYS}
    found["trace_tags"] = tag_list(said.get("tags", ""))
    found["prompt"] = {"name": said.get("prompt_name"), "version": said.get("prompt_version")}
    found["trace_metadata"] = {
        name.removeprefix(_METADATA): text
        for name, text in said.items()
        if name.startswith(_METADATA)
    }
    return found


def tag_list(value: str) -> list[object]:
    """Return the tags in one text of baggage, unchecked."""
    # Python's SDK writes the `str` of a list, others put commas between.
    if value.startswith("["):
        try:
            listed = ast.literal_eval(value)
        except (SyntaxError, TypeError, ValueError, MemoryError, RecursionError):
            return []
        return listed if isinstance(listed, list) else []
    return list(value.split(","))
