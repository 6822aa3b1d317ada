"""A run that makes no request of its own, as when LangChain's cache has the answer, says zero."""

from __future__ import annotations

import asyncio
import json
import secrets
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.language_models import BaseLLM
from langchain_core.outputs import Generation, LLMResult
from langfuse.langchain import CallbackHandler
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice
from faults.langchain_calls import model_of
from faults.wire import client_of, say
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


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_a_fallback_that_is_not_spliced_keeps_its_own_usage(
    wire: ModelServer,
    elsewhere: ModelServer,
    make_langfuse: Callable[..., Langfuse],
    fails: bool,
    is_async: bool,
) -> None:
    key, exported = f"pk-{secrets.token_hex(8)}", InMemorySpanExporter()
    mask = tracesplice.count_usage_once()
    langfuse = make_langfuse(key, span_exporter=exported, mask_otel_spans=mask)
    config: Any = {"callbacks": [CallbackHandler(public_key=key)]}
    wire.answer_headers[REPORTS_HEADER] = "false"
    spliced = "m[[fail:500]]" if fails else "m"

    async def ask() -> None:
        async with openai.DefaultAsyncHttpxClient() as ahttp:
            with openai.DefaultHttpxClient() as http:
                options: Any = {"http_client": http, "http_async_client": ahttp}
                options["cache"] = InMemoryCache()
                first = tracesplice.splice(model_of(wire, model=spliced, **options))
                model = first.with_fallbacks([model_of(elsewhere, **options)])
                for _ in range(2):
                    if is_async:
                        await model.ainvoke("hi", config)
                    else:
                        model.invoke("hi", config)

    asyncio.run(ask())
    langfuse.flush()
    told = [span.attributes or {} for span in exported.get_finished_spans()]
    used = [
        (each["langfuse.observation.model.name"], sum(json.loads(str(each[_USAGE])).values()) > 0)
        for each in told
        if each["langfuse.observation.type"] == "generation"
    ]
    # The second answer comes from the cache, as which only the spliced model's is known.
    once = [(spliced, False), ("gpt-4o-mini", True)]
    assert (len(wire.calls), len(elsewhere.calls)) == ((2, 1) if fails else (1, 0))
    assert used == (once * 2 if fails else [(spliced, True), (spliced, False)])


class OneRequest(BaseLLM):
    """A model of the old completions, which asks for all inputs at once."""

    client: Any

    @property
    def _llm_type(self) -> str:
        return "one request"

    def _generate(self, prompts: list[str], *_: Any, **__: Any) -> LLMResult:
        say(self.client)
        usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        generations: Any = [[Generation(text=each)] for each in prompts]
        return LLMResult(generations=generations, llm_output={"token_usage": usage})


@pytest.mark.parametrize("reports", ["true", "false"])
@pytest.mark.parametrize("is_async", [False, True])
def test_of_several_inputs_in_one_request_one_run_has_the_usage(
    wire: ModelServer, make_langfuse: Callable[..., Langfuse], is_async: bool, reports: str
) -> None:
    key, exported = f"pk-{secrets.token_hex(8)}", InMemorySpanExporter()
    mask = tracesplice.count_usage_once()
    langfuse = make_langfuse(key, span_exporter=exported, mask_otel_spans=mask)
    callbacks: Any = [CallbackHandler(public_key=key)]
    wire.answer_headers[REPORTS_HEADER] = reports

    with client_of(wire) as client:
        model = tracesplice.splice(OneRequest(client=client))
        if is_async:
            asyncio.run(model.agenerate(["hi", "ho"], callbacks=callbacks))
        else:
            # Of two runs at once Langfuse's handler leaves one current.
            copy_context().run(model.generate, ["hi", "ho"], callbacks=callbacks)
    langfuse.flush()
    said = [(span.attributes or {}).get(_USAGE) for span in exported.get_finished_spans()]
    used = [sum(json.loads(str(usage or "null")).values()) for usage in said]
    assert len(wire.calls) == 1
    assert [each > 0 for each in sorted(used)] == [False, reports == "false"]
