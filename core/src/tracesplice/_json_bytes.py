"""A field for a JSON object in bytes: all else in it stays as it was written.

Parsed and written anew, half a surrogate pair could not be encoded, and a number could get other
digits or become ``Infinity``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["parsed_object", "with_field"]

_ERRORS = "surrogatepass"  # as the parser decodes
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def parsed_object(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object that ``content`` is, None where it is anything else."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None  # the server's to refuse
    return found if isinstance(found, dict) else None


def with_field(content: bytes, name: str, value: object) -> bytes:
    """Return a JSON object in which ``name`` has another value.

    Args:
        content: The object, which is valid.
        name: The field; a new one is the last.
        value: Its value.
    """
    encoding = json.detect_encoding(content)
    text, said = content.decode(encoding, _ERRORS), json.dumps(value)
    values = list(_values(text))
    places = [(start, end) for key, start, end in values if key == name]
    for start, end in reversed(places):
        text = f"{text[:start]}{said}{text[end:]}"
    if not places:
        end = text.rindex("}")
        comma = ", " if values else ""
        text = f"{text[:end]}{comma}{json.dumps(name)}: {said}{text[end:]}"
    return text.encode(encoding, _ERRORS)


def _values(text: str) -> Iterator[tuple[str, int, int]]:
    """Find the fields of an object: the name of each, and where its value begins and ends."""
    at = _after_space(text, text.index("{") + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        start = _after_space(text, _after_space(text, at) + 1)
        _, end = _DECODER.raw_decode(text, start)
        yield name, start, end
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
