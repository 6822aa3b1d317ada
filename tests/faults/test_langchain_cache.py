"""A run that makes no request of its own, as when LangChain's cache has the answer, says zero."""

from __future__ import annotations

import asyncio
import json
import secrets
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.language_models import BaseLLM
from langchain_core.messages import HumanMessage
from langchain_core.outputs import Generation, LLMResult
from langfuse.langchain import CallbackHandler
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice
from faults.langchain_calls import ask, model_of
from faults.wire import client_of, say
from tracesplice_wire import REPORTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse import Langfuse

    from tracesplice_testing.model import ModelServer

_USAGE = "langfuse.observation.usage_details"


class Counted:
    """A handler of Langfuse's, and what its generations say when they are exported."""

    def __init__(self, make_langfuse: Callable[..., Langfuse]) -> None:
        key = f"pk-{secrets.token_hex(8)}"
        self._exported = InMemorySpanExporter()
        mask = tracesplice.count_usage_once()
        self._langfuse = make_langfuse(key, span_exporter=self._exported, mask_otel_spans=mask)
        self.config: Any = {"callbacks": [CallbackHandler(public_key=key)]}

    def used(self, of: str = "langfuse.observation.model.name") -> list[tuple[Any, int]]:
        """Model, or what else is asked for, and tokens of each generation."""
        self._langfuse.flush()
        said = [span.attributes or {} for span in self._exported.get_finished_spans()]
        return [
            (each.get(of), sum(json.loads(str(usage)).values()))
            for each in said
            if (usage := each.get(_USAGE)) is not None
        ]

    def used_by_text(self) -> dict[str, int]:
        """Tokens of the generation of each question."""
        used = self.used("langfuse.observation.input")
        return {json.loads(given)[-1]["content"]: tokens for given, tokens in used}


@pytest.fixture
def counted(wire: ModelServer, make_langfuse: Callable[..., Langfuse]) -> Counted:
    # Nobody but what is tested here makes a generation say zero: this gateway does not report.
    wire.answer_headers[REPORTS] = "false"
    return Counted(make_langfuse)


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
    wire: ModelServer, counted: Counted, kind: str, spliced: bool, cache: Any
) -> None:
    options = {"streaming": True, "stream_usage": True} if kind == "streaming" else {}
    model = model_of(wire, cache=cache(), **options)
    if spliced:
        tracesplice.splice(model)
    for _ in range(2):
        ask(model, "invoke" if kind == "streaming" else kind, counted.config)
    first, second = (tokens for _, tokens in counted.used())
    hit = cache is InMemoryCache
    assert len(wire.calls) == (1 if hit else 2)
    assert first > 0
    assert (second == 0) == (hit and spliced)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("is_async", [False, True])
def test_of_several_inputs_those_that_hit_say_zero_each(
    wire: ModelServer, counted: Counted, is_async: bool, streaming: bool
) -> None:
    model = tracesplice.splice(
        model_of(wire, cache=InMemoryCache(), streaming=streaming, stream_usage=True)
    )
    model.invoke("known")
    known, *new = ([HumanMessage(text)] for text in ("known", "new", "new, too"))
    if is_async:
        asyncio.run(model.agenerate([known, *new], **counted.config))
    else:
        # Langfuse's handler makes each of several runs a child of the one before.
        copy_context().run(model.generate, [*new, known], **counted.config)
    assert len(wire.calls) == 3
    used = {text: tokens > 0 for text, tokens in counted.used_by_text().items()}
    assert used == {"known": False, "new": True, "new, too": True}


@pytest.mark.parametrize("kind", ["invoke", "ainvoke"])
@pytest.mark.parametrize("fails", [False, True])
def test_a_fallback_that_is_not_spliced_keeps_its_own_usage(
    wire: ModelServer, elsewhere: ModelServer, counted: Counted, fails: bool, kind: str
) -> None:
    spliced, cache = "m[[fail:500]]" if fails else "m", InMemoryCache()
    first = tracesplice.splice(model_of(wire, model=spliced, cache=cache))
    model = first.with_fallbacks([model_of(elsewhere, cache=cache)])
    for _ in range(2):
        ask(model, kind, counted.config)
    used = [(name, tokens > 0) for name, tokens in counted.used()]
    # The second answer comes from the cache, as which only the spliced model's is known.
    assert (len(wire.calls), len(elsewhere.calls)) == ((2, 1) if fails else (1, 0))
    once = [(spliced, False), ("gpt-4o-mini", True)]
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
    wire: ModelServer, counted: Counted, is_async: bool, reports: str
) -> None:
    wire.answer_headers[REPORTS] = reports
    with client_of(wire) as client:
        model = tracesplice.splice(OneRequest(client=client))
        if is_async:
            asyncio.run(model.agenerate(["hi", "ho"], **counted.config))
        else:
            # Of two runs at once Langfuse's handler leaves one current.
            copy_context().run(model.generate, ["hi", "ho"], **counted.config)
    assert len(wire.calls) == 1
    used = sorted(tokens > 0 for _, tokens in counted.used())
    assert used == [False, reports == "false"]
