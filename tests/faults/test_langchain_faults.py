"""What becomes of a LangChain call when something that the adapter needs is gone or breaks."""

from __future__ import annotations

import sys
from inspect import getattr_static, unwrap
from typing import TYPE_CHECKING

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI

from faults.langchain_calls import ASYNC, KINDS, call, ids, openinference, parents
from faults.wire import links
from tracesplice_langchain import _handlers, _methods, _runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse import Langfuse
    from langfuse.langchain import CallbackHandler

    from tracesplice_testing.model import ModelServer


@ASYNC
def test_without_langfuses_private_map_the_enclosing_span_is_the_parent(
    wire: ModelServer,
    langfuse: Langfuse,
    make_handler: Callable[[], CallbackHandler],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    monkeypatch.setattr(_handlers, "_RUNS", "_no_such_map")
    with langfuse.start_as_current_observation(name="enclosing") as span:
        call(wire, kind, [make_handler()])
        call(wire, kind, [make_handler()])
    assert parents(wire) == [span.id, span.id]
    [record] = [each for each in caplog.records if each.name == "tracesplice"]
    assert "does not say which generation it made" in record.message
    assert "go under the enclosing span" in record.message


@ASYNC
def test_a_process_without_langfuses_handler_has_other_ones(
    wire: ModelServer, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.delitem(sys.modules, "langfuse.langchain")
    with openinference() as spans:
        call(wire, kind)
    assert parents(wire) == ids(spans)


@pytest.mark.parametrize(
    ("kind", "name"), [("ainvoke", "_agenerate_with_cache"), ("astream", "astream")]
)
def test_without_a_method_of_langchains_the_enclosing_span_is_the_parent(
    wire: ModelServer,
    langfuse: Langfuse,
    make_handler: Callable[[], CallbackHandler],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    name: str,
) -> None:
    class NextModel:
        """A base of models of which the methods have other names."""

    _methods.wrap_chat_models(NextModel)
    said = [each.message for each in caplog.records]
    assert any(f"NextModel has no method {name}" in each for each in said)
    monkeypatch.setattr(BaseChatModel, name, unwrap(getattr_static(BaseChatModel, name)))
    for owner in ChatOpenAI.__mro__:
        if "_astream" in vars(owner):
            monkeypatch.setattr(owner, "_astream", unwrap(getattr_static(owner, "_astream")))
    with langfuse.start_as_current_observation(name="enclosing") as span:
        call(wire, kind, [make_handler()])
    assert parents(wire) == [span.id]


@pytest.mark.usefixtures("lenient")
@KINDS
def test_a_fault_of_ours_costs_neither_the_call_nor_the_answer(
    wire: ModelServer,
    langfuse: Langfuse,
    make_handler: Callable[[], CallbackHandler],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(_runs, "span_of_run", broken)
    with langfuse.start_as_current_observation(name="enclosing") as span:
        call(wire, kind, [make_handler()])
    [(_, metadata, _)] = links(wire)
    assert metadata["existing_trace_id"] == span.trace_id
    assert caplog.text.count("tracesplice failed and left out") == 1
