"""The body of a request that LiteLLM's HTTP handlers send, in each way they are given one.

Of several arguments the first of these is sent, as LiteLLM and httpx have it: ``data`` or
``content`` as text, ``files`` with ``data`` as a form, ``json``
(https://github.com/BerriAI/litellm/blob/main/litellm/llms/custom_httpx/http_handler.py,
https://github.com/encode/httpx/blob/master/httpx/_content.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["Body", "body_of"]


class Body(NamedTuple):
    """What a request says.

    Attributes:
        name: The argument that it is given as.
        fields: Its fields; None where there is nothing that fields can be added to.
        is_form: Whether it goes out as a form.
    """

    name: str
    fields: Mapping[str, Any] | None = None
    is_form: bool = False

    def with_fields(self, given: object, more: Mapping[str, Any]) -> object:
        """Return the argument with more fields; what was given stays as it is."""
        fields = {**(self.fields or {}), **more}
        if isinstance(given, str):
            return json.dumps(fields)
        return json.dumps(fields).encode() if isinstance(given, bytes) else fields


def body_of(arguments: Mapping[str, Any]) -> Body:
    """Return the body that the arguments of a handler's ``post`` make."""
    for name in ("content", "data"):
        given = arguments.get(name)
        if isinstance(given, (str, bytes)):
            return Body(name, _parsed(given))
    if arguments.get("content") is not None:
        return Body("content")
    data = arguments.get("data")
    if arguments.get("files") or data:
        return Body("data", {} if data is None else _fields(data), is_form=True)
    return Body("json", _fields(arguments.get("json")))


def _parsed(text: str | bytes) -> Mapping[str, Any] | None:
    try:
        return _fields(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _fields(value: object) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) else None
