"""A LangChain call that is cancelled: its observation ends, where nobody else ends it."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from contextvars import Context
from typing import TYPE_CHECKING, Any

import pytest
from langchain_openai import OpenAI
from opentelemetry import trace

import tracesplice
from faults.langchain_calls import (
    ask,
    begun,
    ids,
    model_of,
    openinference,
    parents,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse.langchain import CallbackHandler

    from tracesplice_testing.model import ModelServer

    Make = Callable[[], CallbackHandler]


@pytest.mark.parametrize("tracer", ["langfuse", "openinference"])
def test_the_generation_of_a_cancelled_call_ends(
    wire: ModelServer, make_handler: Make, tracer: str
) -> None:
    handler = make_handler() if tracer == "langfuse" else None
    model = tracesplice.splice(model_of(wire))

    async def give_up() -> None:
        waiting = model.ainvoke("[[delay:5]] hi", {"callbacks": [handler] if handler else []})
        task = asyncio.ensure_future(waiting)
        while not wire.calls:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with nullcontext(begun(handler)) if handler else openinference() as spans:
        Context().run(asyncio.run, give_up())
    [span] = spans
    assert not span.is_recording()
    if handler:
        assert span.attributes["langfuse.observation.level"] == "ERROR"
    else:
        assert span.status.status_code is trace.StatusCode.ERROR
    assert parents(wire) == ids(spans)


class Impatient(OpenAI):
    """Asks again where it had to wait."""

    async def _agenerate(
        self, prompts: Any, stop: Any = None, run_manager: Any = None, **named: Any
    ) -> Any:
        asked = super()._agenerate(prompts, stop, run_manager, **named)
        try:
            return await asyncio.wait_for(asked, 0.3)
        except asyncio.TimeoutError:
            return await super()._agenerate(["again"], stop, run_manager, **named)


def test_a_run_goes_on_after_a_request_that_its_model_cancels(
    wire: ModelServer, make_handler: Make
) -> None:
    handler = make_handler()
    spans = begun(handler)
    model = tracesplice.splice(model_of(wire, Impatient))
    ask(model, "ainvoke", {"callbacks": [handler]}, "[[delay:5]] hi")
    [span] = spans
    assert "again" in span.attributes["langfuse.observation.output"]
    assert "langfuse.observation.level" not in span.attributes
