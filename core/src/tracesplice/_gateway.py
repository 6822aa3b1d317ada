"""Which requests go to a gateway and call a model: nothing is sent with any other."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from posixpath import normpath
from urllib.parse import unquote, urlsplit

from tracesplice._errors import TracespliceError
from tracesplice._providers import provider_of
from tracesplice_wire import shown_url

__all__ = ["BASE_VARIABLE", "MODEL_ROUTES", "Gateway", "default_gateway"]

BASE_VARIABLE = "LITELLM_PROXY_API_BASE"
"""LiteLLM's own variable for a proxy's address (https://docs.litellm.ai/docs/providers/litellm_proxy)."""

MODEL_ROUTES = (
    "/completions",
    "/responses",
    "/responses/compact",
    "/embeddings",
    "/moderations",
    "/rerank",
    "/v1/messages",
    "/videos",
    "/images/generations",
    "/images/edits",
    "/images/variations",
    "/audio/speech",
    "/audio/transcriptions",
    "/audio/translations",
)
"""What the paths of requests that call a model end with."""

_PORTS = {"http": 80, "https": 443}
_EXAMPLE = "http://localhost:4000"


@dataclass(frozen=True)
class Gateway:
    """A declared gateway.

    Attributes:
        origin: Scheme, lower-case host and port.
        path: Path prefix without trailing slash and ``/v1``; empty for the root.
    """

    origin: tuple[str, str, int]
    path: str

    @classmethod
    def declare(cls, url: object, *, argument: str = "base_url") -> Gateway:
        """Declare the gateway at ``url``.

        Args:
            url: Its address as a client's base URL has it: with or without ``/v1`` or a slash at
                the end, any letter case, any path prefix. Anything whose ``str()`` is the URL.
            argument: What the user passes it as, for the error message.

        Raises:
            TracespliceError: ``url`` is no http(s) URL, that of a route, or a model provider's own.
        """
        text = str(url)
        parts = _parse(text)
        if parts is None or _climbs(parts[1]):
            raise TracespliceError(
                f"{shown_url(text)} is no gateway address. Pass the URL of your LiteLLM proxy, "
                f"such as {_EXAMPLE!r}."
            )
        if cls.calls_model(text):
            raise TracespliceError(
                f"{shown_url(text)} is the address of one kind of call. Pass that of the gateway "
                f"itself, such as {_EXAMPLE!r}."
            )
        provider = provider_of(parts[0][1])
        if provider:
            raise TracespliceError(_provider_message(text, provider, argument))
        return cls(*parts)

    def matches(self, url: str) -> bool:
        """Return whether a request to ``url`` goes to this gateway; in doubt it does not."""
        parts = _parse(url)
        if parts is None or parts[0] != self.origin:
            return False
        if not self.path:
            return True  # the whole host
        below = parts[1] == self.path or parts[1].startswith(f"{self.path}/")
        return below and not _climbs(parts[1])

    @staticmethod
    @lru_cache(maxsize=256)
    def calls_model(url: str, routes: tuple[str, ...] = MODEL_ROUTES) -> bool:
        """Return whether a request to ``url``, on whatever host, is one that calls a model.

        Args:
            url: The request's URL or path.
            routes: What such a path ends with. An adapter of an SDK with other routes passes its
                own.
        """
        # A fragment is not sent; some SDKs tell their own routes apart by it.
        path = url.partition("#")[0].partition("?")[0]
        return path.removesuffix("/").endswith(routes)

    def __str__(self) -> str:
        scheme, host, port = self.origin
        host = f"[{host}]" if ":" in host else host
        return f"{scheme}://{host}:{port}{self.path}"


def default_gateway() -> Gateway:
    """Return the gateway that ``LITELLM_PROXY_API_BASE`` names.

    Raises:
        TracespliceError: The variable is not set, or is no gateway's address.
    """
    url = os.environ.get(BASE_VARIABLE)
    if not url:
        raise TracespliceError(
            f'Which gateway? Pass its address, tracesplice.instrument(gateway="{_EXAMPLE}"), '
            f"or set {BASE_VARIABLE}."
        )
    return Gateway.declare(url, argument=BASE_VARIABLE)


@lru_cache(maxsize=256)
def _parse(url: str) -> tuple[tuple[str, str, int], str] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    if "//" in parts.path and ".." in parts.path:
        return None  # clients differ in whether `..` takes back an empty segment
    path = normpath(parts.path or "/").rstrip("/").removesuffix("/v1").rstrip("/")
    return (parts.scheme, parts.hostname.rstrip("."), port or _PORTS[parts.scheme]), path


def _climbs(path: str) -> bool:
    # Proxies and servers differ in what they decode, and how often.
    for _ in range(3):
        path = unquote(path)
        segments = re.split(r"[/\\]", path)
        if any(segment.partition(";")[0].strip() == ".." for segment in segments):
            return True
    return False


def _provider_message(url: str, provider: str, argument: str) -> str:
    return (
        f"{shown_url(url)} is {provider} itself, not a LiteLLM gateway: there is no second trace "
        f"to join, and nothing extra may be sent there. Use your gateway's address, "
        f'such as {argument}="{_EXAMPLE}".'
    )
