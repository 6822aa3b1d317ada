"""What the SDK will send, as it works it out itself: private to it, and there is no public way.

https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracesplice_openai._body import Options

__all__ = ["address_of", "gateway_of", "headers_of"]

_PLAIN = re.compile(r"/?[\w-]+(/[\w-]+)*", re.ASCII)


def address_of(client: Any, path: str) -> str:
    """Return the URL of a request of ``client``."""
    own = type(client).__module__.partition(".")[0] == "openai"
    base = str(client.base_url)
    if own and _PLAIN.fullmatch(path) and "?" not in base:  # most calls: nothing to resolve
        return f"{base.rstrip('/')}/{path.lstrip('/')}"
    return str(client._prepare_url(path))


def gateway_of(client: Any) -> object:
    """Return the address below which all requests of ``client`` go."""
    # An Azure client's base URL may be that of one deployment.
    return getattr(client, "_azure_endpoint", None) or client.base_url


def headers_of(client: Any, options: Options, own: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Return the headers of a request, and markers for those that the caller took away.

    Args:
        client: The client that makes the call.
        options: The options of the call.
        own: The headers among them.
    """
    headers = {**client.default_headers, **own}
    if len({key.lower() for key in headers}) == len(headers):
        return headers
    # The SDK's releases differ in what two spellings of a name come to.
    sent = dict(client._build_headers(options).multi_items())
    return {**{key.lower(): None for key in headers}, **sent}
