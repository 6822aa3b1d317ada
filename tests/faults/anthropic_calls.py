"""What is asked by the Anthropic SDK, and what the server saw of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracesplice_testing.model import ModelServer

ASKED: dict[str, Any] = {
    "model": "m",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "hi"}],
}


def link(wire: ModelServer, number: int = -1) -> Any:
    """What a request says in its body, None if nothing."""
    return wire.calls[number].json.get("litellm_metadata")
