"""The one place that finds the generation of `langfuse.openai`: what it needs, and what is left
when Langfuse takes it away."""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from rig.patience import PATIENCE
from tracesplice import _sources
from tracesplice.adapter import observation_source
from tracesplice_openai import _langfuse_openai

if TYPE_CHECKING:
    from collections.abc import Iterator

IDS = {"trace_id": "a" * 32, "id": "b" * 16}


@pytest.fixture(autouse=True)
def _nothing_started() -> Iterator[None]:
    yield
    _langfuse_openai.take_generation()


def started(generation: Any) -> Any:
    client = SimpleNamespace(start_observation=lambda **_: generation, flush=lambda: "flushed")
    observed = _langfuse_openai._ObservedClient(client)
    assert observed.start_observation(as_type="generation") is generation
    assert observed.flush() == "flushed"
    return _langfuse_openai.take_generation()


def test_langfuse_still_asks_its_module_for_the_client() -> None:
    module = importlib.import_module("langfuse.openai")
    names = {*module._wrap.__code__.co_names, *module._wrap_async.__code__.co_names}
    for closure in (module._wrap, module._wrap_async):
        function = closure.__closure__[0].cell_contents
        names |= set(function.__code__.co_names)
    assert {"get_client", "start_observation"} <= names


def test_langfuse_still_does_not_make_its_generation_current() -> None:
    # Once it does, the current span is enough and this module can go.
    module = importlib.import_module("langfuse.openai")
    function = module._wrap.__closure__[0].cell_contents
    assert "start_as_current_observation" not in function.__code__.co_names


def test_an_ended_generation_belongs_to_no_call() -> None:
    span = TracerProvider().get_tracer("t").start_span("g")
    span.end()
    assert started(SimpleNamespace(_otel_span=span, **IDS)) is None


@pytest.mark.usefixtures("lenient")
def test_without_any_id_the_enclosing_span_is_left(caplog: pytest.LogCaptureFixture) -> None:
    assert started(SimpleNamespace()) is None
    assert "please report it" in caplog.text


def test_a_langfuse_without_get_client_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_langfuse_openai, "_observing", True)
    module = SimpleNamespace()
    _langfuse_openai._wrap(module)
    assert vars(module) == {}
    importlib.import_module("langfuse.openai")
    _langfuse_openai.forget_generations()


@pytest.mark.parametrize("first", ["langfuse", "splice"])
def test_either_order_of_import_and_splice(first: str) -> None:
    steps = {
        "langfuse": "import langfuse.openai",
        "splice": "tracesplice.splice(openai.OpenAI(base_url='http://localhost:1', api_key='k'))",
    }
    order = [steps.pop(first), *steps.values()]
    check = "assert type(sys.modules['langfuse.openai'].get_client(public_key='x')).__name__"
    lines = ["import sys, openai, tracesplice", *order, f"{check} == '_ObservedClient'"]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, timeout=PATIENCE)


def test_langfuse_is_put_back_with_the_last_spliced_client() -> None:
    lines = [
        "import inspect, langfuse.openai, openai, tracesplice",
        "before = langfuse.openai.get_client",
        "request, arequest = openai.OpenAI.request, openai.AsyncOpenAI.request",
        "client = openai.OpenAI(base_url='http://localhost:1', api_key='k')",
        "copied = tracesplice.splice(client).with_options(timeout=9)",
        "tracesplice.instrument('http://localhost:2')",
        "assert langfuse.openai.get_client is not before",
        "assert openai.OpenAI.request is not request",
        "assert inspect.signature(openai.OpenAI.request) == inspect.signature(request)",
        "assert inspect.iscoroutinefunction(openai.AsyncOpenAI.request)",
        "tracesplice.unsplice(client)",
        "tracesplice.uninstrument()",
        "assert langfuse.openai.get_client is not before",
        "tracesplice.unsplice(copied)",
        "assert langfuse.openai.get_client is before",
        "assert openai.OpenAI.request is request",
        "assert openai.AsyncOpenAI.request is arequest",
        "assert not hasattr(openai.OpenAI._build_request, '__wrapped__')",
        "tracesplice.splice(client)",
        "assert langfuse.openai.get_client is not before",
    ]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, timeout=PATIENCE)


def test_a_generation_taken_in_one_context_is_taken_in_all() -> None:
    client = SimpleNamespace(start_observation=lambda **_: SimpleNamespace(**IDS))
    _langfuse_openai._ObservedClient(client).start_observation()
    taken = contextvars.copy_context().run(_langfuse_openai.take_generation)
    assert taken is not None
    assert _langfuse_openai.take_generation() is None


class Generation:
    """One of Langfuse's, as far as it is asked for something."""

    def __init__(self) -> None:
        self.trace_id, self.id = IDS["trace_id"], IDS["id"]
        self.said: list[dict[str, Any] | str] = []

    def update(self, **said: Any) -> Generation:
        self.said.append(said)
        return self

    def end(self) -> None:
        self.said.append("ended")


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("error", [asyncio.CancelledError, KeyboardInterrupt, ValueError])
def test_the_generation_of_a_call_that_is_interrupted_ends(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException], kind: str
) -> None:
    gateways: list[str] = ["http://gateway"]
    monkeypatch.setattr("tracesplice_openai._sdk.sdk.gateways_of", lambda _: gateways)

    def request(options: object) -> None:
        raise error

    async def arequest(options: object) -> None:
        raise error

    def ask(*given: Any) -> None:
        if kind == "sync":
            _langfuse_openai._request(request, *given)
        else:
            _langfuse_openai._arequest(arequest, *given).send(None)

    def call() -> Generation:
        generation = Generation()
        client = SimpleNamespace(start_observation=lambda: generation)
        _langfuse_openai._ObservedClient(client).start_observation()
        options = {"options": SimpleNamespace()}
        with pytest.raises(error):
            ask(None, (), options)
        return generation

    said = call().said
    if error is ValueError:  # which `langfuse.openai` notes itself
        assert not said
    else:
        assert said == [
            {"level": "ERROR", "status_message": error.__name__, "cost_details": {"total": 0}},
            "ended",
        ]
    gateways.clear()  # a client that is not spliced stays as it is
    assert not call().said


def test_a_generation_starts_under_the_observation_at_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = TracerProvider().get_tracer("langfuse-sdk").start_span("a run of LangChain")
    monkeypatch.setattr(_sources, "observation_sources", {})
    observation_source(lambda: run)
    found: list[Any] = []

    def start_observation() -> Any:
        found.append(trace.get_current_span())
        return SimpleNamespace(**IDS)

    client = SimpleNamespace(start_observation=start_observation)
    _langfuse_openai._ObservedClient(client).start_observation()
    assert found == [run]
    assert trace.get_current_span() is not run
    assert run.is_recording()
