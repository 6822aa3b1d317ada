"""What Langfuse takes: everything a client sends goes through here before it gets that far.

The limits: https://langfuse.com/docs/observability/features/users, and the server's own schema,
https://github.com/langfuse/langfuse/tree/main/packages/shared/clickhouse/migrations. One bad value
can cost the whole observation, or the batch it is stored with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import islice

__all__ = [
    "any_trace_id",
    "environment",
    "prompt_version",
    "span_id",
    "tags",
    "text",
    "texts",
    "trace_id",
]

MAX_LENGTH = 200
"""Characters of an id, a name or a tag."""

MAX_TAGS = 50
"""Tags of one call; Langfuse names no limit, and a header of 8 kB holds a few hundred."""

MAX_READ = 10_000
"""How many entries of a list are looked at."""

MAX_TEXTS = 50
"""Entries of a trace's metadata."""

MAX_VERSION = 65_535
"""Langfuse stores a prompt's version in 16 bits."""

MAX_MESSAGE = 10_000
"""Characters of an error; a provider may answer with a whole page."""

_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")
_ENVIRONMENT = re.compile(r"(?!langfuse)[a-z0-9_-]{1,40}")
_DIGITS = re.compile(r"[0-9]{1,5}")


def trace_id(value: object) -> str | None:
    """Return ``value`` if it is a W3C trace id, 32 lower-case hex digits and not all zero."""
    return value if isinstance(value, str) and _TRACE_ID.fullmatch(value) else None


def any_trace_id(value: str) -> str:
    """Return the trace id that LiteLLM in mode ``langfuse`` makes of any text.

    https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse_sdk.py
    (``resolve_trace_id``).
    """
    plain = value.lower().replace("-", "")
    return trace_id(plain) or sha256(value.encode()).digest()[:16].hex()


def span_id(value: object) -> str | None:
    """Return ``value`` if it is a W3C span id, 16 lower-case hex digits and not all zero."""
    return value if isinstance(value, str) and _SPAN_ID.fullmatch(value) else None


def text(value: object) -> str | None:
    """Return ``value`` if it is a text of 1 to ``MAX_LENGTH`` characters that can be encoded."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_LENGTH:
        return None
    # JSON may hold half a surrogate pair, and a protobuf with it cannot be written.
    return value if value.isascii() or not re.search("[\ud800-\udfff]", value) else None


def tags(value: object) -> tuple[str, ...]:
    """Return the valid ones of a list of tags, each once, at most ``MAX_TAGS``."""
    if not isinstance(value, (list, tuple, Iterator)):
        return ()
    found: dict[str, None] = {}
    for tag in islice(value, MAX_READ):
        if text(tag) is not None:
            found[tag] = None
            if len(found) == MAX_TAGS:
                break
    return tuple(found)


def texts(value: object) -> dict[str, str]:
    """Return the valid entries of a mapping of text to text, of the first ``MAX_TEXTS``."""
    if not isinstance(value, Mapping):
        return {}
    first = [(key, value[key]) for key in islice(value, MAX_TEXTS)]
    return {key: each for key, each in first if None not in (text(key), text(each))}


def environment(value: object) -> str | None:
    """Return ``value`` if it can be the name of a Langfuse environment."""
    return value if isinstance(value, str) and _ENVIRONMENT.fullmatch(value) else None


def prompt_version(value: object) -> int | None:
    """Return ``value`` as a prompt's version, 1 to ``MAX_VERSION``; digits in text are one."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= MAX_VERSION else None
