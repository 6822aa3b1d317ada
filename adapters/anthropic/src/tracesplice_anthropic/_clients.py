"""The clients of the Anthropic SDK that something is, or holds."""

from __future__ import annotations

import anthropic

__all__ = ["clients_of", "cloud_of"]

_CLIENTS = (anthropic.Anthropic, anthropic.AsyncAnthropic)
# Where models of LangChain and LlamaIndex have theirs; LangChain's makes them when asked.
_HELD = ("_client", "_async_client", "_aclient")
_CLOUDS = "anthropic.lib."


def clients_of(target: object) -> list[object]:
    """Return ``target`` itself if it is a client, or those that it holds; not those of a cloud."""
    if isinstance(target, _CLIENTS):
        return [target]
    held = (getattr(target, name, None) for name in _HELD)
    return [each for each in held if isinstance(each, _CLIENTS) and cloud_of(each) is None]


def cloud_of(target: object) -> str | None:
    """Return the name of the SDK's client for Bedrock, Vertex, Foundry … that ``target`` is."""
    names = (kind.__name__ for kind in type(target).__mro__ if kind.__module__.startswith(_CLOUDS))
    return next(
        (name for name in names if name.removeprefix("Async").startswith("Anthropic")), None
    )
