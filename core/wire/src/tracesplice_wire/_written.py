"""Headers as callers write them: any spelling, text or bytes, and markers that take one away."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["header_values"]


def header_values(headers: Mapping[str, object], name: str) -> list[str | None]:
    """Return the values of ``name``, whatever its spelling, in their order.

    Args:
        headers: Headers as a caller wrote them.
        name: The header's name in lower case.

    Returns:
        A text for each spelling; None where the caller wrote a marker, to take the header away.
    """
    return list(_values(headers, name))


def _values(headers: Mapping[str, object], name: str) -> Iterator[str | None]:
    for key, value in headers.items():
        # The length first: this runs over all headers of every call.
        if len(key) == len(name) and (_text(key) or "").lower() == name:
            yield _text(value)


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("latin-1")  # any byte is a character
    return value if isinstance(value, str) else None
