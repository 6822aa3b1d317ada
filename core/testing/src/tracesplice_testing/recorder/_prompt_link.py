"""Which prompt a generation links (createEventRecord, and the older storage's schema).

https://github.com/langfuse/langfuse/blob/main/worker/src/services/IngestionService/index.ts
https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/ingestion/types.ts
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

PromptExists = Callable[[str, int], bool]


class DroppedError(Exception):
    """The whole observation is dropped; the text says why."""


def prompt_link(
    name: Any, version: Any, exists: PromptExists, *, strict: bool
) -> tuple[str, int] | None:
    """The name and version linked, or None.

    `strict` is the older storage's schema: DroppedError for what is not a string and a whole
    number, both or neither.
    """
    if strict:
        _check(name, version)
    number = _whole(version)
    return (name, number) if name and number and exists(name, number) else None


def _check(name: Any, version: Any) -> None:
    if name is not None and not isinstance(name, str):
        raise DroppedError(f"prompt name {name!r} is no string")
    if version is not None and (isinstance(version, str) or version != _whole(version)):
        raise DroppedError(f"prompt version {version!r} is no integer")
    if bool(name) != bool(version):
        raise DroppedError(f"prompt name {name!r} with version {version!r}: needs both, from 1")


def _whole(version: Any) -> int | None:
    """A version as JavaScript's parseInt reads it: what comes after the digits is left out."""
    digits = re.match(r"\s*[-+]?\d+", str(version))
    return int(digits[0]) if digits and not isinstance(version, bool) else None
