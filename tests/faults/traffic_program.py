"""An application with many HTTP clients, one of which is a spliced one: run by `test_traffic.py`.

It calls each address that it is given, in every way it can, and prints what failed.
"""

from __future__ import annotations

import json
import logging
import sys
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anthropic
import httpx
import httpx2
import langfuse
import openai
import requests
from langfuse.api import Prompt_Text
from langfuse.model import TextPromptClient
from langfuse.openai import OpenAI as TracedOpenAI  # type: ignore[attr-defined]

import tracesplice

if TYPE_CHECKING:
    from collections.abc import Iterator

# What other libraries log is theirs to answer for.
logging.getLogger("tracesplice").setLevel(logging.DEBUG)
logging.getLogger("tracesplice").addHandler(logging.StreamHandler(sys.stderr))


def prompt(told: dict[str, Any]) -> TextPromptClient:
    content = Prompt_Text(
        name=told["prompt"], version=7, prompt=told["template"], config={}, labels=[], tags=[]
    )
    return TextPromptClient(content)


def clients(url: str) -> Iterator[Any]:
    """New ones, as far as they take the address."""
    options: Any = {"api_key": "k-gateway", "max_retries": 0, "timeout": 10}
    with suppress(httpx.InvalidURL, httpx2.InvalidURL):
        yield openai.OpenAI(base_url=url, **options)
        yield TracedOpenAI(base_url=url, **options)
        # By default this SDK sends `traceparent` to whomever it calls, without tracesplice as well.
        base = url.removesuffix("/v1")
        yield anthropic.Anthropic(base_url=base, open_telemetry={"propagation": False}, **options)


def moved(client: Any, url: str) -> Iterator[Any]:
    """A copy of a spliced one, with another address."""
    with suppress(httpx.InvalidURL, httpx2.InvalidURL):
        yield client.with_options(base_url=url)


def ask(client: Any, text: str) -> None:
    messages: Any = [{"role": "user", "content": text}]
    if isinstance(client, anthropic.Anthropic):
        client.messages.create(model="m", max_tokens=1, messages=messages)
    else:
        client.chat.completions.create(model="m", messages=messages)


def plainly(url: str, text: str) -> None:
    """By clients that know nothing of tracesplice."""
    body = json.dumps({"messages": text}).encode()
    for send in (
        lambda: httpx.post(url, content=body),
        lambda: requests.post(url, data=body, timeout=10),
        lambda: urllib.request.urlopen(urllib.request.Request(url, body), timeout=10),
    ):
        with suppress(Exception):
            send()


def main() -> None:
    told = json.loads(sys.argv[1])
    tracer = langfuse.Langfuse(mask_otel_spans=tracesplice.count_usage_once())
    spliced = tracesplice.splice(next(clients(told["gateway"])))
    tracesplice.instrument(gateway=told["gateway"])
    with (
        tracer.start_as_current_observation(name=told["span"]) as span,
        langfuse.propagate_attributes(
            user_id=told["user"],
            session_id=told["session"],
            tags=[told["tag"], "x" * 500],
            metadata={"note": told["note"]},
            prompt=prompt(told),
        ),
    ):
        print(span.trace_id)
        for url in [told["gateway"], *told["addresses"]]:
            for client in (*clients(url), *moved(spliced, url)):
                with suppress(Exception):
                    ask(client, told["message"])
            plainly(url, told["message"])
        with suppress(Exception):
            spliced.post("/chat/completions", body=[told["message"]], cast_to=object)
        with suppress(Exception):
            spliced.chat.completions.create(
                model="m", messages=[], extra_body={"metadata": told["message"]}
            )
    tracer.flush()


if __name__ == "__main__":
    main()
