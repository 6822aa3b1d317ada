"""What becomes of a LlamaIndex call when something that the adapter needs is gone or breaks."""

from __future__ import annotations

import asyncio
import contextvars
import types
from typing import TYPE_CHECKING, Any

import pytest

import tracesplice
from faults.llama_index_calls import KINDS, call, parents, template

pytest.importorskip("llama_index.core", reason="LlamaIndex does not run on openai 3")
from llama_index.core.instrumentation.span import active_span_id
from llama_index.core.types import BasePydanticProgram

from tracesplice_llama_index import _formatted, _prompt_of_call, _splice, _stream_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse import Langfuse

    from tracesplice_testing.model import ModelServer


def broken(*_: object) -> None:
    raise RuntimeError("broken on purpose")


def test_without_a_method_of_llama_indexs_the_call_goes_out(
    wire: ModelServer,
    make_llama_index: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(_splice, "CLIENT_MAKERS", ("_get_client_next",))
    for _ in range(2):
        model = tracesplice.splice(make_llama_index())
    call(model, "complete")
    assert caplog.text.count("OpenAILike has no method _get_client_next") == 1
    assert len(wire.calls) == 1


def test_a_method_that_is_an_asynchronous_generator_is_not_awaited(llama_index: Any) -> None:
    class Program(BasePydanticProgram[Any]):
        output_cls: Any = None

        def __call__(self) -> Any: ...

        async def astream_call(self) -> Any:
            yield "hi"

    async def read() -> list[Any]:
        return [each async for each in Program().astream_call()]

    assert asyncio.run(read()) == ["hi"]


@pytest.mark.usefixtures("lenient")
@KINDS
def test_a_fault_of_ours_costs_neither_the_call_nor_the_answer(
    wire: ModelServer,
    langfuse: Langfuse,
    make_llama_index: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    monkeypatch.setattr(_stream_context, "current_observation", broken)
    monkeypatch.setattr(_prompt_of_call, "prompt_in", broken)
    with langfuse.start_as_current_observation(name="enclosing") as span:
        call(tracesplice.splice(make_llama_index()), kind)
    assert parents(wire) == [span.id]
    assert "tracesplice failed and left out the prompt of a template" in caplog.text


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize(
    ("module", "name"),
    [(_prompt_of_call, "propagate_attributes"), (_formatted, "linked"), (_formatted, "prompt_in")],
)
def test_a_fault_of_ours_costs_no_prediction_either(
    wire: ModelServer,
    llama_index: Any,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
) -> None:
    monkeypatch.setattr(module, name, broken)
    assert llama_index.predict(template()) == "echo: hi"
    assert len(wire.calls) == 1


def test_a_stream_that_is_closed_elsewhere_changes_nothing_there() -> None:
    @types.coroutine
    def suspended() -> Any:
        yield

    async def read() -> None:
        with place:
            await suspended()

    first, another = contextvars.copy_context(), contextvars.copy_context()
    first.run(active_span_id.set, "first")
    another.run(active_span_id.set, "another")
    place = first.run(_stream_context._place)
    forgotten = read()
    contextvars.copy_context().run(forgotten.send, None)
    another.run(forgotten.close)
    assert another[active_span_id] == "another"
