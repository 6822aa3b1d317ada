"""What becomes of a LlamaIndex call when something that the adapter needs is gone or breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

import tracesplice
from faults.llama_index_calls import KINDS, PROMPT, call, parents

pytest.importorskip("llama_index.core", reason="LlamaIndex does not run on openai 3")
from llama_index.core.program import LLMTextCompletionProgram
from llama_index.core.prompts import PromptTemplate

from tracesplice_llama_index import _methods, _repair, _template_link

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse import Langfuse

    from rig.model import ModelServer


class Answer(BaseModel):
    text: str


@pytest.mark.parametrize("kind", ["stream_complete", "astream"])
def test_without_a_method_of_llama_indexs_the_call_goes_out(
    wire: ModelServer,
    make_llama_index: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    monkeypatch.setattr(_repair, "_OF_LLMS", {"_stream_chat_next": lambda *_: None})
    for _ in range(2):
        call(tracesplice.splice(make_llama_index()), kind)
    assert caplog.text.count("OpenAILike has no method _stream_chat_next") == 1
    assert len(wire.calls) == 2


def test_a_program_that_does_not_say_its_model_is_left_alone_and_named_once(
    make_llama_index: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    program: Any = LLMTextCompletionProgram.from_defaults(
        output_cls=Answer, prompt=PromptTemplate("hi"), llm=tracesplice.splice(make_llama_index())
    )
    assert _methods._is_ours(program)
    del program._llm
    assert not any(_methods._is_ours(program) for _ in range(2))
    assert caplog.text.count("LLMTextCompletionProgram does not say which model") == 1


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
    def broken(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(_methods, "is_marked", broken)
    with langfuse.start_as_current_observation(name="enclosing") as span:
        call(tracesplice.splice(make_llama_index()), kind)
    assert parents(wire) == [span.id]
    if "stream" in kind:
        assert caplog.text.count("tracesplice failed and left out") == 1


@pytest.mark.usefixtures("lenient")
def test_a_fault_of_ours_costs_no_prediction_either(
    wire: ModelServer, make_llama_index: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(_template_link, "_with_ambient", broken)
    template = PromptTemplate("hi", metadata={"langfuse_prompt": PROMPT})
    assert tracesplice.splice(make_llama_index()).predict(template) == "echo: hi"
    assert len(wire.calls) == 1
