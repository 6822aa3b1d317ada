"""Reads a link off a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai

import tracesplice

if TYPE_CHECKING:
    from tracesplice_testing.model import ModelServer

__all__ = ["carries_nothing", "client_of", "links", "say", "spliced"]


def client_of(server: ModelServer, path: str = "/v1", **options: Any) -> openai.OpenAI:
    """An unspliced client of ``server``."""
    return openai.OpenAI(base_url=server.url + path, api_key="sk-any", **options)


def say(client: Any, text: str = "hi", **options: Any) -> Any:
    """Make one chat call."""
    return client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": text}], **options
    )


def links(server: ModelServer) -> list[tuple[str, dict[str, Any], str | None]]:
    """Message, metadata and traceparent of every call ``server`` got."""
    return [
        (
            request.json["messages"][-1]["content"],  # type: ignore[index]
            request.json.get("litellm_metadata") or {},  # type: ignore[misc]
            request.headers.get("traceparent"),
        )
        for request in server.calls
    ]


def carries_nothing(server: ModelServer) -> bool:
    """Whether no request ``server`` got has anything of ours in it."""
    texts = [request.text for request in server.requests]
    marks = ("litellm_metadata", "traceparent", "existing_trace_id")
    return bool(texts) and not any(mark in text for text in texts for mark in marks)


def spliced(kind: Any, url: str) -> Any:
    """A spliced client of a class of the SDK's."""
    return tracesplice.splice(kind(base_url=f"{url}/v1", api_key="sk-any", max_retries=0))
