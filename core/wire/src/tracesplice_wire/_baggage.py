"""W3C ``baggage`` as Langfuse's SDKs write it, read as the metadata it stands for.

https://www.w3.org/TR/baggage/ and
https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/propagation.py. LiteLLM in
mode ``langfuse`` may run without OpenTelemetry's packages, so its propagators are not used.
"""

from __future__ import annotations

import ast
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["decode_baggage"]

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
    if not isinstance(value, str):
        return _NOTHING
    said: dict[str, str] = {}
    for member in value[:_MAX_HEADER].split(","):
        name, _, text = member.partition(";")[0].partition("=")
        # OpenTelemetry's propagators quote the names, too: those of metadata are the user's.
        key = unquote_plus(name.strip())
        if key.startswith(_PREFIX):
            said[key.removeprefix(_PREFIX)] = unquote_plus(text.strip())
    return _as_metadata(said) if said else _NOTHING


def _as_metadata(said: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {_KEYS[name]: text for name, text in said.items() if name in _KEYS}
    found["trace_tags"] = _tag_list(said.get("tags", ""))
    found["prompt"] = {"name": said.get("prompt_name"), "version": said.get("prompt_version")}
    found["trace_metadata"] = {
        name.removeprefix(_METADATA): text
        for name, text in said.items()
        if name.startswith(_METADATA)
    }
    return found


def _tag_list(value: str) -> list[object]:
    # Python's SDK writes the `str` of a list, others put commas between.
    if value.startswith("["):
        try:
            listed = ast.literal_eval(value)
        except (SyntaxError, TypeError, ValueError, MemoryError, RecursionError):
            return []
        return listed if isinstance(listed, list) else []
    return list(value.split(","))
