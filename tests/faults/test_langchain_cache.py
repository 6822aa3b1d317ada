"""An answer from LangChain's own cache used nothing, and says so."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langchain_core.caches import InMemoryCache
from langfuse.langchain import CallbackHandler
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice
from faults.langchain_calls import model_of
from tracesplice.adapter import REPORTS_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse import Langfuse

    from rig.model import ModelServer

_USAGE = "langfuse.observation.usage_details"


class Fails(InMemoryCache):
    """A cache that is never hit."""

    def lookup(self, *_: Any) -> None:
        return None

    async def alookup(self, *_: Any) -> None:
        return None


@pytest.mark.parametrize("kind", ["invoke", "ainvoke", "streaming"])
@pytest.mark.parametrize("spliced", [True, False])
@pytest.mark.parametrize("cache", [InMemoryCache, Fails])
def test_a_hit_says_zero(
    wire: ModelServer,
    make_langfuse: Callable[..., Langfuse],
    kind: str,
    spliced: bool,
    cache: Any,
) -> None:
    key, exported = f"pk-{secrets.token_hex(8)}", InMemorySpanExporter()
    # Nobody but the cache makes one say zero: this gateway does not report.
    mask = tracesplice.count_usage_once()
    langfuse = make_langfuse(key, span_exporter=exported, mask_otel_spans=mask)
    config: Any = {"callbacks": [CallbackHandler(public_key=key)]}
    wire.answer_headers[REPORTS_HEADER] = "false"

    async def ask() -> None:
        async with openai.DefaultAsyncHttpxClient() as ahttp:
            with openai.DefaultHttpxClient() as http:
                options: Any = {"http_client": http, "http_async_client": ahttp}
                options |= {"streaming": True, "stream_usage": True} if kind == "streaming" else {}
                model = model_of(wire, cache=cache(), **options)
                if spliced:
                    tracesplice.splice(model)
                for _ in range(2):
                    if kind == "ainvoke":
                        await model.ainvoke("hi", config)
                    else:
                        model.invoke("hi", config)

    asyncio.run(ask())
    langfuse.flush()
    used = [
        sum(json.loads(str((span.attributes or {})[_USAGE])).values())
        for span in exported.get_finished_spans()
    ]
    hit = cache is InMemoryCache
    assert len(wire.calls) == (1 if hit else 2)
    assert used[0] > 0
    assert (used[1] == 0) == (hit and spliced)
