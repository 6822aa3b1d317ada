"""What adapters of frameworks build on, beside the wrapping of methods."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from tracesplice.adapter import (
    TracespliceError,
    as_current,
    in_context,
    is_observed,
    langfuse_prompt,
    splice_each,
    when_imported,
)

if TYPE_CHECKING:
    from pathlib import Path

    from langfuse import Langfuse

PLAIN = TracerProvider().get_tracer("web-server")  # Langfuse does not store its spans


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"awaited_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text("answer = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_a_module_is_awaited_once(module: str) -> None:
    seen: list[Any] = []

    def note(imported: Any) -> None:
        seen.append(imported.answer)

    when_imported(module, note)
    when_imported(module, note)
    assert not seen
    assert module not in sys.modules
    importlib.import_module(module)
    when_imported(module, note)
    assert seen == [42]


def test_a_module_that_is_there_already_is_not_awaited(module: str) -> None:
    there = importlib.import_module(module)
    first: list[Any] = []
    second: list[Any] = []

    def note(imported: Any) -> None:
        first.append(imported)

    def note_too(imported: Any) -> None:
        second.append(imported)

    for function in (note, note_too, note):
        when_imported(module, function)
    assert first == second == [there]


@pytest.mark.usefixtures("lenient")
def test_a_fault_costs_nobody_an_import(module: str, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("broken on purpose")

    when_imported(module, broken)
    assert importlib.import_module(module).answer == 42
    assert f"left out what calls through {module} need for their links" in caplog.text


def test_a_span_is_made_current_and_not_written_on() -> None:
    span: Any = PLAIN.start_span("x")

    def fail() -> None:
        with as_current(span):
            assert trace.get_current_span() is span
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (len(span.events), span.status.is_unset, span.is_recording()) == (0, True, True)
    assert trace.get_current_span() is not span


@pytest.mark.parametrize("unless_observed", [True, False])
def test_a_context_is_entered_and_left(langfuse: Langfuse, unless_observed: bool) -> None:
    context = otel_context.set_value("x", 1)

    def value() -> object:
        with in_context(context, unless_observed=unless_observed):
            return otel_context.get_value("x")

    assert not is_observed()
    assert value() == 1
    with PLAIN.start_as_current_span("GET /"):
        assert not is_observed()
        assert value() == 1
    with langfuse.start_as_current_observation(name="x"):
        assert is_observed()
        assert value() == (None if unless_observed else 1)
    assert otel_context.get_value("x") is None
    with in_context(otel_context.get_current(), unless_observed=unless_observed):
        assert otel_context.get_current() == {}


def test_each_that_can_be_spliced_is() -> None:
    done: list[str] = []

    def splice(name: str) -> None:
        if name.startswith("provider"):
            raise TracespliceError(f"{name} is no gateway")
        done.append(name)

    splice_each(["provider", "a", "provider 2", "b"], splice)
    assert done == ["a", "b"]
    splice_each([], splice)
    with pytest.raises(TracespliceError, match="provider 2 is no gateway"):
        splice_each(["provider 2", "provider 3"], splice)


@pytest.mark.parametrize("wrong", ["greeting", None, {"name": "p", "version": 1}])
def test_what_is_no_prompt_of_langfuses_says_what_to_pass(wrong: object) -> None:
    with pytest.raises(TracespliceError, match=r"Not a Langfuse prompt: .*langfuse\.get_prompt"):
        langfuse_prompt(wrong)
