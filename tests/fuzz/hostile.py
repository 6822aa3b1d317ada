"""Requests that no client should send: metadata of every JSON type, in every position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.curl import CHAT
from conformance.test_the_adapter_requests import KEYS, TEXTS, VALUES, hostile

if TYPE_CHECKING:
    from random import Random

__all__ = ["any_request", "any_value"]

Request = tuple[str, dict[str, Any], dict[str, str]]
"""Path, body and headers."""

# How many of ten requests go where.
ROUTES: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (5, "/chat/completions", CHAT),
    (2, "/responses", {"model": "openai-chat", "input": "hi"}),
    (1, "/embeddings", {"model": "openai-embed", "input": "hi"}),
    (1, "/v1/messages", {**CHAT, "model": "claude", "max_tokens": 5}),
    (1, "/v1/messages", {**CHAT, "model": "openai-chat", "max_tokens": 5}),
)

CONTAINERS = ("metadata", "litellm_metadata")
PARTS = ("name", "version", "prompt", "type", "labels", "config", "")
LETTERS = "ab\u0000\ud7ff\U0001f642%,;=\"'\n "


def any_value(chance: Random, depth: int = 3) -> Any:
    """Any JSON value."""
    kind = chance.randrange(8 if depth else 6)
    if kind < 3:
        return chance.choice(VALUES)
    if kind == 3:
        return chance.choice((chance.uniform(-1e9, 1e9), chance.randrange(-(2**63), 2**63)))
    if kind < 6:
        return "".join(chance.choices(LETTERS, k=chance.choice((0, 1, 9, 300))))
    several = [any_value(chance, depth - 1) for _ in range(chance.randrange(4))]
    if kind == 6:
        return several
    return {chance.choice((*KEYS, *PARTS)): each for each in several}


def any_request(chance: Random) -> Request:
    """A request to one of the routes, with anything in what links are made of."""
    [(_, path, plain)] = chance.choices(ROUTES, [share for share, *_ in ROUTES])
    added, headers = _any_link(chance)
    body = {**added, **plain}
    if path != "/embeddings" and chance.random() < 0.2:
        body["stream"] = True
    return path, body, headers


def _any_link(chance: Random) -> tuple[dict[str, Any], dict[str, str]]:
    """Fields of a body, and headers."""
    if chance.random() < 0.3:
        body, headers = hostile(chance)
        return {name: value for name, value in body.items() if name not in CHAT}, headers
    body = {}
    for container in chance.sample(CONTAINERS, chance.randint(1, 2)):
        keys = chance.sample(KEYS, chance.randint(1, 6))
        whole = chance.random() < 0.1
        body[container] = any_value(chance) if whole else {k: any_value(chance) for k in keys}
    baggage = ",".join(f"langfuse_{chance.choice(KEYS)}={chance.choice(TEXTS)}" for _ in range(3))
    parents = (f"00-{chance.getrandbits(128):032x}-{'b' * 16}-01", "x", "")
    headers = {"baggage": baggage, "traceparent": chance.choice(parents)}
    return body, {name: value for name, value in headers.items() if value}
