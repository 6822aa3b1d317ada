"""What a client of a generated SDK will send, as the SDK works it out itself.

All private to the SDKs, and there is no public way. They share a base client, which Stainless
generates: https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py,
https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/_base_client.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from tracesplice._gateway import MODEL_ROUTES
from tracesplice_wire import header_values

__all__ = ["Kind", "Options", "address_of", "written_in"]

_PLAIN = re.compile(r"/?[\w-]+(/[\w-]+)*", re.ASCII)
_FORM = "multipart/form-data"
_JSON = "application/json"


class Kind(NamedTuple):
    """An SDK, as far as its requests are concerned.

    Attributes:
        own: Its own classes of clients, of which is known what they send.
        omit: The class of what stands for a value that is left out.
        elsewhere: What paths end with that ask a model of another host than a gateway.
    """

    own: tuple[type, ...]
    omit: type
    elsewhere: tuple[str, ...] = MODEL_ROUTES


class Options(Protocol):
    """The part of an SDK's ``FinalRequestOptions`` that is read and written."""

    method: str
    url: str
    headers: Any
    json_data: Any
    extra_json: Any
    files: Any


class Written(NamedTuple):
    """What the callers of a request wrote.

    Attributes:
        headers: Headers of the call and of the client, and markers for those that are taken away.
        body: Fields of the body; None where there is nothing that fields can be added to.
        field: The option to add fields to.
        is_form: Whether the body goes out as a multipart form.
    """

    headers: Mapping[Any, Any]
    body: Mapping[str, Any] | None
    field: str = "json_data"
    is_form: bool = False


def address_of(kind: Kind, client: Any, path: str) -> str:
    """Return the URL of a request of ``client``."""
    base = str(client.base_url)
    # With nothing to resolve in it.
    if type(client) in kind.own and _PLAIN.fullmatch(path) and "?" not in base:
        return f"{base.rstrip('/')}/{path.lstrip('/')}"
    return str(client._prepare_url(path))


def written_in(kind: Kind, client: Any, options: Options) -> Written:
    """Return what was written into a request of ``client``."""
    headers = _headers(kind, client, options)
    content_type = ", ".join(filter(None, header_values(headers, "content-type"))) or _JSON
    is_form = content_type.startswith(_FORM)
    is_json = content_type.lower().startswith(_JSON)
    content = getattr(options, "content", None)  # the oldest releases have none
    field = _field(options.json_data, options.extra_json)
    if field is None or content is not None or not (is_form or (is_json and not options.files)):
        return Written(headers, None)
    fields = {**(options.json_data or {}), **(options.extra_json or {})}
    body = {key: value for key, value in fields.items() if not isinstance(value, kind.omit)}
    return Written(headers, body, field, is_form)


def _headers(kind: Kind, client: Any, options: Options) -> Mapping[Any, Any]:
    own = options.headers if isinstance(options.headers, Mapping) else {}
    # The SDK's own defaults say nothing that matters, and are dear to ask for.
    of_client = client._custom_headers if type(client) in kind.own else client.default_headers
    headers = {**of_client, **own}
    names = {key.lower() for key in headers}
    if len(names) == len(headers):
        return headers
    # The SDKs and their releases differ in what two spellings of a name come to.
    sent = dict(client._build_headers(options).multi_items())
    return {**dict.fromkeys(names), **sent}


def _field(json_data: object, extra: object) -> str | None:
    if extra is None:
        return "json_data" if isinstance(json_data, dict) else None
    if json_data is None:
        return "extra_json" if isinstance(extra, dict) else None
    both = isinstance(json_data, Mapping) and isinstance(extra, Mapping)
    return "extra_json" if both else None
