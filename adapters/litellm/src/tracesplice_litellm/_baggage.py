"""Reads the standard headers: W3C ``traceparent``, and ``baggage`` as Langfuse's SDKs write it.

https://www.w3.org/TR/trace-context/, https://www.w3.org/TR/baggage/ and
https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/propagation.py. LiteLLM in
mode ``langfuse`` may run without OpenTelemetry's packages, so its propagators are not used. The
names of headers are in lower case here: https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from tracesplice_litellm._link import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["langfuse_baggage", "tag_list", "traceparent"]

_PREFIX = "langfuse_"
_MAX_HEADER = 8_192  # characters; the specification's own limit for baggage
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)


def traceparent(headers: Mapping[str, object]) -> Place | None:
    """Return where ``traceparent`` says that the call belongs, None if it says nothing valid."""
    sent = headers.get("traceparent")
    match = _TRACEPARENT.fullmatch(sent.strip()) if isinstance(sent, str) else None
    if match is None:
        return None
    return Place(match[1], match[2], sampled=bool(int(match[3], 16) & 1))


def langfuse_baggage(headers: Mapping[str, object]) -> dict[str, str]:
    """Return what ``baggage`` has for Langfuse, without the prefix of its names; not checked."""
    found: dict[str, str] = {}
    sent = headers.get("baggage")
    if not isinstance(sent, str):
        return found
    for member in sent[:_MAX_HEADER].split(","):
        key, _, value = member.partition(";")[0].partition("=")
        if key.strip().startswith(_PREFIX):
            found[key.strip().removeprefix(_PREFIX)] = unquote_plus(value.strip())
    return found


def tag_list(value: str) -> list[object]:
    """Return the tags in a baggage value: a list's ``str`` of Python's SDK, else with commas."""
    if value.startswith("["):
        try:
            listed = ast.literal_eval(value)
        except (SyntaxError, TypeError, ValueError, MemoryError, RecursionError):
            return []
        return listed if isinstance(listed, list) else []
    return list(value.split(","))
