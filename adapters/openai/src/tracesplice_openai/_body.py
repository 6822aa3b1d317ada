"""Finds what of a call's options a link can be put into: a JSON object, or the fields of a form.

Everything else goes out as it is. The rules are those of the SDK's ``_build_request``
(https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import openai

__all__ = ["Body", "Options", "body_of"]

_FORM = "multipart/form-data"
_JSON = "application/json"


class Options(Protocol):
    """The part of the SDK's ``FinalRequestOptions`` that this adapter reads and writes."""

    method: str
    url: str
    headers: Any
    json_data: Any
    extra_json: Any
    files: Any


@dataclass(frozen=True)
class Body:
    """The body of a request that can take a link.

    Attributes:
        written: Its fields, as far as the caller wrote them.
        field: The option to put fields into.
        is_form: Whether it goes out as a multipart form.
    """

    written: Mapping[str, Any]
    field: str
    is_form: bool

    def add(self, options: Any, fields: Mapping[str, Any]) -> None:
        """Put ``fields`` into ``options``; what the caller gave stays as it is."""
        setattr(options, self.field, {**getattr(options, self.field), **fields})


def body_of(options: Options, content_type: str) -> Body | None:
    """Return the body of a call that can take a link, or None where it has none.

    Args:
        options: The options of the call.
        content_type: The header of that name, as it goes out.
    """
    is_form = content_type.startswith(_FORM)
    is_json = not content_type or content_type.lower().startswith(_JSON)
    content = getattr(options, "content", None)  # the oldest releases have none
    if content is not None or not (is_form or (is_json and not options.files)):
        return None
    field = _field(options.json_data, options.extra_json)
    return None if field is None else Body(_written(options), field, is_form)


def _field(json_data: object, extra: object) -> str | None:
    if extra is None:
        return "json_data" if isinstance(json_data, dict) else None
    if json_data is None:
        return "extra_json" if isinstance(extra, dict) else None
    both = isinstance(json_data, Mapping) and isinstance(extra, Mapping)
    return "extra_json" if both else None


def _written(options: Options) -> dict[str, Any]:
    fields = {**(options.json_data or {}), **(options.extra_json or {})}
    return {key: value for key, value in fields.items() if not isinstance(value, openai.Omit)}
